"""Known answers for field encryption, made without the code under test: GCM from SP 800-38D's own description over
AES-ECB of the openssl command, HKDF (RFC 5869) and HMAC from Python's hmac. Run: python3 make-vectors.py > vectors.json"""
import base64, hashlib, hmac, json, subprocess

def aes(key, block):
    command = ['openssl', 'enc', '-aes-256-ecb', '-nopad', '-K', key.hex()]
    return subprocess.run(command, input=block, capture_output=True, check=True).stdout

def multiply(x, y):
    z = 0
    for bit in range(127, -1, -1):
        if (x >> bit) & 1:
            z ^= y
        y = (y >> 1) ^ (0xE1 << 120) if y & 1 else y >> 1
    return z

def gcm(key, nonce, aad, plain):
    h = int.from_bytes(aes(key, bytes(16)), 'big')
    counter = lambda n: nonce + n.to_bytes(4, 'big')
    blocks = [plain[i:i + 16] for i in range(0, len(plain), 16)]
    cipher = b''.join(bytes(a ^ b for a, b in zip(block, aes(key, counter(n + 2)))) for n, block in enumerate(blocks))
    pad = lambda data: data + bytes(-len(data) % 16)
    message = pad(aad) + pad(cipher) + (len(aad) * 8).to_bytes(8, 'big') + (len(cipher) * 8).to_bytes(8, 'big')
    s = 0
    for i in range(0, len(message), 16):
        s = multiply(s ^ int.from_bytes(message[i:i + 16], 'big'), h)
    tag = s ^ int.from_bytes(aes(key, counter(1)), 'big')
    return nonce + cipher + tag.to_bytes(16, 'big')

def prefixed(parts):
    encoded = [part.encode() for part in parts]
    return b''.join(len(part).to_bytes(4, 'big') + part for part in encoded)

def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()

def hkdf(secret, info):  # one block is 32 bytes, the length that is wanted
    return mac(mac(bytes(32), secret), info + b'\x01')

b64 = lambda data: base64.urlsafe_b64encode(data).rstrip(b'=').decode()
fixed = lambda label, length: hashlib.sha512(label.encode()).digest()[:length]

key_id, row_id, subject = '019a0000-0000-7000-8000-0000000000aa', '019a0000-0000-7000-8000-000000000001', '019a0000-0000-7000-8000-0000000000bb'
data_key, kek, index_key = fixed('data key', 32), fixed('kek', 32), fixed('index key', 32)
cells = []
for field, text in [('User.email', 'ann@example.org'), ('User.name', ''), ('Resource.note', 'Grüße 🔐 \u0000 end')]:
    nonce = fixed('nonce ' + field, 12)
    aad = prefixed(['enc:v1', key_id, field, row_id])
    field_key = hkdf(data_key, prefixed(['enc:v1 field key', field]))
    sealed = gcm(field_key, nonce, aad, text.encode())
    cells.append({'frozenName': field, 'rowId': row_id, 'text': text, 'associatedData': aad.hex(), 'fieldKey': field_key.hex(), 'cell': f'enc:v1:{key_id}:{b64(sealed)}'})
wrapped = gcm(kek, fixed('wrap nonce', 12), prefixed(['wrap:v1', key_id, 'pii', subject]), data_key)
index = mac(index_key, prefixed(['bi:v1', 'User.email', 'ann@example.org']))
print(json.dumps({
    'dataKey': {'id': key_id, 'secret': data_key.hex()},
    'cells': cells,
    'wrap': {'kek': kek.hex(), 'wrappingKey': 'pii-1', 'purpose': 'pii', 'subject': subject, 'wrapped': b64(wrapped)},
    'blindIndex': {'key': index_key.hex(), 'keyId': 'blind-index-1', 'frozenName': 'User.email', 'text': 'ann@example.org', 'index': f'blind-index-1.{b64(index)}'},
    'lengthPrefixed': {'parts': ['ab', '', 'ü'], 'bytes': prefixed(['ab', '', 'ü']).hex()},
}, indent=2, ensure_ascii=False))
