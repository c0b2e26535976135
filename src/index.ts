/** The Worker: fetch, queue, scheduled, and the Durable Object classes; nothing else. */
import { consume } from '#messaging/consume'
import { app } from './app'
import { everyMinute } from './minutely'

export { DoctorCalendar } from '#scheduling/doctor-calendar'

export default {
  fetch: app.fetch,
  queue: consume,
  scheduled: (controller, env) => everyMinute(env, controller.scheduledTime),
} satisfies ExportedHandler<Env>
