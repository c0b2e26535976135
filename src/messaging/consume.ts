/**
 * What follows from an event. So far one effect: the doctor's object is asked to see that KV shows their
 * calendar as it is, which mends a listing whose put was lost with the object that owed it.
 */
import { logError } from '#http/log-error'
import { wake } from '#scheduling/wake-overdue'
import { EventMessage } from './publish'

/**
 * Acknowledges each message whose effect has happened. The others come again, and after the last try the
 * dead-letter queue has them: where the object did not answer, and what is no event of ours. Throws nothing.
 */
export async function consume(batch: MessageBatch, env: Pick<Env, 'DOCTOR_CALENDAR'>): Promise<void> {
  const events = batch.messages.flatMap((message) => {
    const { data } = EventMessage.safeParse(message.body)
    if (data !== undefined) return [{ message, doctorId: data.doctorId }]
    logError('malformed-message', { messageId: message.id, queue: batch.queue })
    message.retry()
    return []
  })
  await Promise.all(
    [...Map.groupBy(events, ({ doctorId }) => doctorId)].map(async ([doctorId, concerned]) => {
      const woken = doctorId === null || (await wake(env, doctorId))
      for (const { message } of concerned) woken ? message.ack() : message.retry()
    }),
  )
}
