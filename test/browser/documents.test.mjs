/** The pages of the documents, opened and used in a real browser, against `npm run dev`. */
import { chromium } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { CHROMIUM, missingChromium } from '../../scripts/chromium.mjs'
import { DEMONSTRATION_PASSWORD, demonstrationEmail } from '../../scripts/demonstration/statements.mjs'
import { START_TIMEOUT_MS, startDevelopmentServer } from '../support/development-server.mjs'

/** A CI machine runs as root, where Chromium's sandbox does not; and it is to call nobody but the server. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const PATIENT = { email: demonstrationEmail('patient.anika'), password: DEMONSTRATION_PASSWORD }
const DAY_MS = 86_400_000
const TIMEOUT_MS = 60_000

let server
let browser
let page
/** What the page complained of: errors, refusals by its policy, calls to others. */
let complaints

beforeAll(async () => {
  const missing = missingChromium()
  if (missing !== undefined) throw new Error(missing)
  server = await startDevelopmentServer()
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS })
}, START_TIMEOUT_MS)

afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

beforeEach(async () => {
  complaints = []
  page = await browser.newPage()
  page.setDefaultTimeout(TIMEOUT_MS / 4)
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (protocol !== 'data:' && origin !== server.address) complaints.push(`asks ${request.url()}`)
  })
  await page.addInitScript(() =>
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
      console.error(`refused by ${violatedDirective}: ${blockedURI} ${sample}`),
    ),
  )
})

afterEach(async () => {
  await page.close()
  expect(complaints).toEqual([])
})

it('Swagger UI: a patient signs in with a password and books', { timeout: TIMEOUT_MS }, async () => {
  const wanted = await findOpenSlot()
  await open('/docs')
  const dialog = await openAuthorize()
  const scheme = dialog.locator('.auth-container', { hasText: 'OAuth2, password' })
  await scheme.locator('#oauth_username').fill(PATIENT.email)
  await scheme.locator('#oauth_password').fill(PATIENT.password)
  await scheme.locator('button', { hasText: 'Authorize' }).click()
  await scheme.locator('button', { hasText: 'Logout' }).waitFor()
  await dialog.locator('.close-modal').click()

  const { status, body } = await execute('bookAppointment', JSON.stringify(wanted))
  expect(status).toBe(201)
  expect(body).toMatchObject({ ...wanted, status: 'confirmed', patient: { fullName: expect.any(String) } })
})

it('Swagger UI: a token of one’s own does as well, and is forgotten with the page', {
  timeout: TIMEOUT_MS,
}, async () => {
  const { accessToken, user } = await signIn()
  await open('/docs')
  const dialog = await openAuthorize()
  const scheme = dialog.locator('.auth-container', { hasText: 'http, Bearer' })
  await scheme.getByRole('textbox').fill(accessToken)
  await scheme.locator('button', { hasText: 'Authorize' }).click()
  await scheme.locator('button', { hasText: 'Logout' }).waitFor()
  await dialog.locator('.close-modal').click()

  const { status, body } = await execute('getMe')
  expect([status, body.id]).toEqual([200, user.id])

  await page.goto('about:blank')
  await open('/docs')
  const signedOut = await execute('getMe')
  expect([signedOut.status, signedOut.body.code]).toEqual([401, 'unauthenticated'])
  // The browser itself logs every answer that is an error.
  expect(complaints.splice(0)).toEqual([expect.stringContaining('401')])
})

it('ReDoc: shows every operation, and finds one', { timeout: TIMEOUT_MS }, async () => {
  const { paths } = await get('/openapi.json')
  const operations = Object.values(paths).flatMap((path) => Object.values(path))
  await open('/redoc')
  for (const { operationId, summary } of operations) {
    const section = page.locator(`[data-section-id$="operation/${operationId}"]`)
    await section.locator('h2', { hasText: summary }).waitFor({ state: 'attached' })
  }
  await page.getByPlaceholder('Search...').fill('verify')
  await page.locator('[data-role="search:results"] [data-item-id$="operation/verifyDoctor"]').click()
  await page.waitForURL(/#.*operation\/verifyDoctor/)
})

async function open(path) {
  const answer = await page.goto(`${server.address}${path}`)
  expect(answer.status()).toBe(200)
  expect(answer.headers()['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'; /)
}

async function openAuthorize() {
  await page.locator('.auth-wrapper > .authorize').click()
  const dialog = page.locator('.dialog-ux')
  await dialog.waitFor()
  return dialog
}

/** Tries an operation on the page: the status and the body that it then shows. */
async function execute(operationId, requestBody) {
  const operation = page.locator(`.opblock[id$="-${operationId}"]`)
  await operation.locator('.opblock-summary-control').click()
  await operation.getByRole('button', { name: 'Try it out' }).click()
  if (requestBody !== undefined) await operation.locator('textarea.body-param__text').fill(requestBody)
  await operation.getByRole('button', { name: 'Execute' }).click()
  const answer = operation.locator('.live-responses-table tbody .response').first()
  const status = await answer.locator('.response-col_status').innerText()
  const body = await answer.locator('.highlight-code code').first().innerText()
  return { status: Number.parseInt(status, 10), body: JSON.parse(body) }
}

async function get(path, token) {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` }
  const answer = await fetch(`${server.address}${path}`, { headers })
  expect(answer.status, path).toBe(200)
  return answer.json()
}

async function signIn() {
  const answer = await fetch(`${server.address}/v1/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(PATIENT),
  })
  expect(answer.status).toBe(200)
  return answer.json()
}

/** A slot that is really open, of a doctor who confirms by themselves, while the patient is nowhere else. */
async function findOpenSlot() {
  const { accessToken } = await signIn()
  const { items: visits } = await get('/v1/appointments?limit=100', accessToken)
  const isFree = ({ start, end }) =>
    !visits.some(
      (visit) => Date.parse(start) < Date.parse(visit.end) && Date.parse(visit.start) < Date.parse(end),
    )
  const { items: doctors } = await get('/v1/doctors?q=rahman')
  const [from, to] = [2, 30].map((days) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10))
  const { slots } = await get(`/v1/doctors/${doctors[0].id}/slots?from=${from}&to=${to}&fresh=true`)
  const slot = slots.find(isFree)
  expect(slot).toBeDefined()
  return { doctorId: doctors[0].id, start: slot.start }
}
