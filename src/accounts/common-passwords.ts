/**
 * The commonest passwords that our rules would let pass. People meet a rule for an upper-case letter, a digit
 * and a special character by dressing up the few words and keyboard walks that head every published list of
 * leaked passwords (those of NCSC and HIBP, of NordPass, of SecLists): `Password1!`, `P@ssw0rd`, `Qwerty@123`.
 * A list of all the clothes would be endless, so what is compared is what is below them; see `isCommon`.
 * Common English words that few passwords consist of are left out on purpose: a refusal should be deserved.
 */

/** Refused in any capitals, in “leet” spelling, and with any digits and signs before and after. */
const WORDS: ReadonlySet<string> = new Set([
  ...['a', 'aa', 'aaa', 'ab', 'abc', 'abcd', 'abcabc', 'xyz'],
  ...['qaz', 'qazwsx', 'qwe', 'qweasd', 'qweasdzxc', 'qwer', 'qwert', 'qwerty', 'qwertyui', 'qwertyuiop'],
  ...['asd', 'asdf', 'asdfg', 'asdfgh', 'asdfghjkl', 'zxc', 'zxcv', 'zxcvb', 'zxcvbn', 'zxcvbnm', 'azerty'],
  ...['pass', 'passw', 'passwd', 'password', 'passwort', 'passpass', 'passphrase', 'mypass', 'mypassword'],
  ...['newpassword', 'yourpassword', 'passwordpassword', 'pwd', 'changeme', 'changeit', 'letmein', 'default'],
  ...['admin', 'administrator', 'adminadmin', 'root', 'superuser', 'superadmin', 'sysadmin', 'webadmin'],
  ...['welcome', 'login', 'access', 'trustno', 'iloveyou', 'iloveu', 'loveyou', 'sunshine', 'princess'],
  ...['monkey', 'dragon', 'master', 'shadow', 'superman', 'batman', 'pokemon', 'football', 'baseball'],
  ...['liverpool', 'chelsea', 'arsenal', 'starwars', 'whatever', 'michael', 'jordan', 'charlie', 'jessica'],
  ...[
    'spring',
    'summer',
    'autumn',
    'winter',
    'monday',
    'friday',
    'january',
    'december',
    'bangladesh',
    'dhaka',
  ],
])

/** Refused in any capitals: words too ordinary for the list above, as they lead the lists of the leaked. */
const WHOLE: ReadonlySet<string> = new Set([
  ...['test@123', 'test@1234', 'test@12345', 'test123!', 'test1234!', 'demo@123', 'demo@1234', 'user@123'],
  ...['user@1234', 'hello@123', 'hello123!', 'hello@1234', 'india@123', 'guest@123', 'temp@123', 'temp@1234'],
  ...['secret@123', 'secret123!', 'doctor@123', 'hospital@123', 'clinic@123', 'patient@123', 'medical@123'],
  ...['student@123', 'teacher@123', 'school@123', 'google@123', 'gmail@123', 'facebook@123', 'company@123'],
  ...[
    '1qaz@wsx',
    '1qaz2wsx!',
    '!qaz2wsx',
    '!qaz@wsx1',
    '1qaz!qaz',
    '1qaz@wsx3edc',
    '!qaz2wsx3edc',
    'zaq1@wsx',
  ],
  ...[
    'zaq!2wsx',
    'zaq12wsx!',
    '1q2w3e4r!',
    '1q2w3e4r@',
    '!1q2w3e4r',
    '1q2w3e4r5t!',
    'q1w2e3r4!',
    'a1b2c3d4!',
  ],
  ...['q1w2e3r4t5!', '1a2b3c4d!', 'abc123!@#', 'qwe123!@#', 'asd123!@#', 'abc@123abc', 'p@$$w0rd!p'],
])

const LEET: Readonly<Record<string, string>> = {
  ...{ '@': 'a', '4': 'a', '3': 'e', '1': 'i', '!': 'i', '|': 'i', '0': 'o', $: 's', '5': 's', '7': 't' },
}

/** Whether the password is one of the commonest, or such a one in other clothes. */
export function isCommon(password: string): boolean {
  const lower = password.toLowerCase()
  if (WHOLE.has(lower)) return true
  // A digit or sign at an end may belong to the word (`Welc0m3!`) or to its clothes: every cut is tried.
  const head = lower.search(/\p{L}/u)
  const tail = lower.length - (/[^\p{L}]*$/u.exec(lower)?.[0].length ?? 0)
  const plain = [...lower].map((char) => LEET[char] ?? char).join('')
  for (let start = 0; start <= head; start++) {
    for (let end = tail; end <= lower.length; end++) {
      if (WORDS.has(plain.slice(start, end))) return true
    }
  }
  return false
}
