/** The pages of the documents, as far as they need no browser; test/browser uses them. */
import { exports } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { call } from '../support/api'

const directivesOf = (headers: Headers): Record<string, string> =>
  Object.fromEntries(
    (headers.get('Content-Security-Policy') ?? '').split('; ').map((directive) => {
      const [name = '', ...sources] = directive.split(' ')
      return [name, sources.join(' ')]
    }),
  )

const STRICT = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
}

describe.each([
  ['/docs', {}],
  ['/redoc', { 'style-src': "'self' 'unsafe-inline'", 'worker-src': 'blob:' }],
])('The page %s', (path, exceptions) => {
  it('may do nothing but what it must, and has every other header of an answer', async () => {
    const { status, headers } = await call('GET', path)
    expect([status, headers.get('Content-Type')]).toEqual([200, 'text/html; charset=UTF-8'])
    expect(directivesOf(headers)).toEqual({ ...STRICT, ...exceptions })
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
    expect(headers.get('X-Request-Id')).toMatch(/^req_/)
  })

  it('holds no script or style of its own, and names no file but ours', async () => {
    const { body } = await call('GET', path)
    const named = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address)
    expect(named.length).toBeGreaterThan(3)
    for (const address of named) expect(address).toMatch(/^\/(assets\/[\w./-]+|openapi\.json)$/)
    expect(body).not.toMatch(/<script>|<style|\sstyle=|\son\w+=/)
  })

  it('is where an address with a slash at its end leads', async () => {
    const asked = new Request(`http://praxis.test${path}/`, { redirect: 'manual' })
    const { status, headers } = await exports.default.fetch(asked)
    expect([status, headers.get('Location')]).toEqual([308, path])
  })

  it('is linked from the start page', async () => {
    const { body } = await call('GET', '/')
    expect(Object.values(body.links)).toContain(path)
  })
})
