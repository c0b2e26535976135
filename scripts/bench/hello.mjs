/** The least that a Hono route costs in this runtime: what every other figure is a ratio to. */
import { Hono } from 'hono'

export default new Hono().get('/', (c) => c.text('hello'))
