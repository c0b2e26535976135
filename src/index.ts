/** The Worker: fetch, queue, scheduled, and the Durable Object classes; nothing else. */
import { app } from './app'

export { DoctorCalendar } from '#scheduling/doctor-calendar'

export default {
  fetch: app.fetch,
  async queue() {},
  async scheduled() {},
} satisfies ExportedHandler<Env>
