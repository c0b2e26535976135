/** Schemas as the document of the API has them: JSON Schema, those with a name among the components. */
import * as z from 'zod'

export type Json = Record<string, unknown>

/** The named schemas of the document. */
export type Components = Record<string, Json>

const reference = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })

/** A schema as JSON Schema; what has an id moves to the components and is referred to. */
export function toJsonSchema(schema: z.ZodType, io: 'input' | 'output', components: Components): Json {
  const converted = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override({ jsonSchema }) {
      // Every integer is one that a double can hold: no reader has to be told each time.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
    },
  })
  const text = JSON.stringify(converted).replaceAll('#/$defs/', '#/components/schemas/')
  const { $schema: _, $defs = {}, ...root } = JSON.parse(text) as Json & { $defs?: Components }
  for (const [name, definition] of Object.entries($defs)) addComponent(components, name, definition)
  const { id } = root
  if (typeof id !== 'string') return root
  addComponent(components, id, root)
  return reference(id)
}

/** One name, one meaning: a schema that takes defaults is another for who sends than for who reads. */
export function addComponent(components: Components, name: string, { id: _, ...definition }: Json): Json {
  const known = components[name]
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(definition)) {
    throw new Error(`Two schemas have the name ${name}`)
  }
  components[name] = definition
  return reference(name)
}
