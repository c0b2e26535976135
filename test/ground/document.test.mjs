/** The document of the API as others read it: Redocly's linter, and the collection for Postman and Bruno. */
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { expect, it, vi } from 'vitest'
import { collectionOf } from '../../scripts/collection.mjs'

// Nothing is hashed here: Node need not load it.
vi.mock('@phi-ag/argon2/argon2.wasm', () => ({ default: {} }))

const { apiDocument } = await import('../../src/app.ts')
const document = JSON.parse(JSON.stringify(apiDocument()))

/** What the linter says of a document, by its recommended rules. */
async function lint(source) {
  // It takes an upgrade for a call that cannot succeed; test/http/document.test.ts asks every call for its success.
  const config = await createConfig({ extends: ['recommended'], rules: { 'operation-2xx-response': 'off' } })
  const problems = await lintFromString({ source: JSON.stringify(source), config })
  return problems.map(({ severity, ruleId, message, location }) =>
    [severity, ruleId, location[0]?.pointer, message].join(' '),
  )
}

it('The linter of Redocly has nothing to object to, neither errors nor warnings', async () => {
  expect(await lint(document)).toEqual([])
})

it('The linter is not blind', async () => {
  const wrong = structuredClone(document)
  const book = wrong.paths['/v1/appointments'].post
  book.operationId = book.security = undefined
  book.responses['201'].content['application/json'].example.version = 'one'
  wrong.components.schemas.Unused = { type: 'object' }
  const told = (await lint(wrong)).join('\n')
  for (const rule of [
    'operation-operationId',
    'security-defined',
    'no-invalid-media-type-examples',
    'no-unused-components',
  ]) {
    expect(told).toContain(rule)
  }
})

it('The collection for Postman and Bruno is what the document says', async () => {
  const collection = collectionOf(document)
  expect(JSON.stringify(collection)).not.toContain('undefined')
  // `npm run collection` writes it anew.
  const text = `${JSON.stringify(collection, null, 2)}\n`
  await expect(text).toMatchFileSnapshot('../../docs/praxis.postman_collection.json')
})

it('The main job of the collection runs from top to bottom', () => {
  const { variable, item } = collectionOf(document)
  const known = new Set(variable.filter(({ value }) => value !== '').map(({ key }) => key))
  for (const { name, request, event = [] } of item[0].item) {
    const needed = [...JSON.stringify(request).matchAll(/\{\{(\w+)\}\}/g)].map(([, key]) => key)
    if (request.auth === undefined) needed.push('accessToken')
    for (const key of needed) expect(known, name).toContain(key)
    for (const line of event.flatMap(({ script }) => script.exec)) {
      const kept = /set\('(\w+)'/.exec(line)?.[1]
      if (kept !== undefined) known.add(kept)
    }
  }
})
