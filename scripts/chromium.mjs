/** The Chromium that the tests of the pages use. */
import { existsSync } from 'node:fs'

/** Where it is: Debian's place, unless CHROMIUM_PATH names another. */
export const CHROMIUM = process.env.CHROMIUM_PATH || '/usr/bin/chromium'

/** Says how to get one where there is none; else nothing. */
export const missingChromium = () =>
  existsSync(CHROMIUM)
    ? undefined
    : `There is no Chromium at ${CHROMIUM}. Install it (Debian: apt-get install -y chromium), or name another with CHROMIUM_PATH.`
