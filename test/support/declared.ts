// Features declare what they have while they are loaded, in lists that the files of one process share. All of it is
// there before the first file, so that none finds more or less by what ran before it.
import '../../src/app.module.js';
import './sample/sample-factor.module.js';
import './sample/samples.module.js';
