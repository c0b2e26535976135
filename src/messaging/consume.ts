/**
 * What follows from an event. So far one effect: the doctor's object is asked to see that KV shows their
 * calendar as it is, which mends a listing whose put was lost with the object that owed it.
 */
import * as z from 'zod'

const Message = z.object({ doctorId: z.string().nullable() })

export async function consume(batch: MessageBatch, env: Pick<Env, 'DOCTOR_CALENDAR'>): Promise<void> {
  const byDoctor = Map.groupBy(batch.messages, ({ body }) => Message.safeParse(body).data?.doctorId ?? null)
  await Promise.all(
    [...byDoctor].map(async ([doctorId, messages]) => {
      const seen = doctorId === null || (await refreshOpenings(env, doctorId))
      for (const message of messages) seen ? message.ack() : message.retry()
    }),
  )
}

/** False where the object did not answer; the queue then tries again, and at last the dead letters have it. */
async function refreshOpenings(env: Pick<Env, 'DOCTOR_CALENDAR'>, doctorId: string): Promise<boolean> {
  try {
    const answer = await env.DOCTOR_CALENDAR.getByName(doctorId).wake()
    return answer.ok || answer.refusal.code === 'doctor-not-found'
  } catch (error) {
    console.error(
      JSON.stringify({ level: 'error', what: 'refresh-openings', doctorId, message: String(error) }),
    )
    return false
  }
}
