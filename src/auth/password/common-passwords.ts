/**
 * Long passwords that stand in public breach collections and that zxcvbn's dictionaries do not have, lower case. With
 * those (49,000 passwords, 60,000 words and names) and the rules that attackers apply to them (doubling, digits, leet,
 * rows of keys) they are the offline list (ASVS v5.0.0-6.2.4).
 */
export const commonPasswords: readonly string[] = [
  '1q2w3e4r5t6y7u8i',
  '1qaz2wsx3edc4rfv',
  'changemechangeme',
  'correcthorsebatterystaple',
  'correct horse battery staple',
  'iloveyouforever',
  'iloveyousomuch1',
  'letmeinletmein1',
  'liverpoolfootballclub',
  'manchesterunited',
  'mypasswordispassword',
  'passwort12345678',
  'q1w2e3r4t5y6u7i8',
  'qazwsxedcrfvtgb',
  'qwertyuiopasdfgh',
  'qwertyuiopasdfghjkl',
  'thisismypassword',
  'zxcvbnmasdfghjkl',
];
