/** The Worker: fetch, queue, scheduled, and the Durable Object classes; nothing else. */
import { consume } from '#messaging/consume'
import { everyMinute } from '#messaging/minutely'
import { app } from './app'

export { DoctorCalendar } from '#scheduling/doctor-calendar'

export default {
  fetch: app.fetch,
  queue: consume,
  scheduled: (controller, env) => everyMinute(env, controller.scheduledTime),
} satisfies ExportedHandler<Env>
