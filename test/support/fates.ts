/** What may become of a batch that is on its way to D1, and commands that meet each of these fates. */

import { expect } from 'vitest'
import type { ObjectAnswer } from '#scheduling/answer'
import type { SeededUser } from './accounts'
import { endSession, expectAgreement, rows } from './clinic'
import { codeOf } from './commands'
import {
  abortObject,
  deliver,
  type Fault,
  failBefore,
  type Gate,
  hold,
  holdAnswer,
  injectFaults,
  inTurn,
  loseAnswer,
} from './faults'

export interface Fate {
  readonly name: string
  /** What keeps it waiting, and what happens to it then. */
  readonly gate: () => Gate
  readonly fault: Fault
  /** What ends while it waits. */
  readonly ends: 'nothing' | 'epoch' | 'session' | 'object'
  /** What its sender hears; nothing from an object that dies. */
  readonly code: string | undefined
  /** Whether D1 has it afterwards. */
  readonly happens: boolean
}

const done = { ends: 'nothing', code: 'done', happens: true } as const

export const FATES: readonly Fate[] = [
  { name: 'comes late', gate: hold, fault: deliver, ...done },
  { name: 'is done and answered late', gate: holdAnswer, fault: deliver, ...done },
  { name: 'is done and its answer lost', gate: hold, fault: loseAnswer, ...done },
  { name: 'is stale and decided anew', gate: hold, fault: deliver, ...done, ends: 'epoch' },
  {
    name: 'is refused',
    gate: hold,
    fault: deliver,
    ends: 'session',
    code: 'session-ended',
    happens: false,
  },
  {
    name: 'never arrives',
    gate: hold,
    fault: failBefore,
    ends: 'nothing',
    code: 'unavailable',
    happens: false,
  },
  {
    name: 'dies with its object before D1 hears of it',
    gate: hold,
    fault: deliver,
    ends: 'object',
    code: undefined,
    happens: false,
  },
  {
    name: 'dies with its object after D1 has done it',
    gate: holdAnswer,
    fault: deliver,
    ends: 'object',
    code: undefined,
    happens: true,
  },
]

/**
 * Runs the actor's command into the fate. `meanwhile` happens while D1 keeps it waiting, and is told how many
 * batches the object has sent. Afterwards D1 and memory agree, whatever the fate was. So many batches `before` it
 * are delivered: those in which the command only reads.
 */
export async function meet<T>(
  fate: Fate,
  doctorId: string,
  actor: SeededUser,
  command: () => Promise<ObjectAnswer<T>>,
  meanwhile: (batches: () => number) => Promise<unknown>,
  before = 0,
): Promise<ObjectAnswer<T> | undefined> {
  const gate = fate.gate()
  const batches = await injectFaults(doctorId, [
    ...Array<Fault>(before).fill(deliver),
    inTurn(gate.fault, fate.fault),
  ])
  const running = command().catch(() => undefined)
  await gate.arrived
  await meanwhile(batches)
  if (fate.ends === 'object') await abortObject(doctorId)
  if (fate.ends === 'session') await endSession(actor)
  if (fate.ends === 'epoch') await raiseEpoch(doctorId)
  gate.release()
  const answer = await running
  expect(answer && codeOf(answer)).toBe(fate.code)
  await expectAgreement(doctorId)
  return answer
}

/** Another object has loaded the calendar: whatever this one sends is stale. */
const raiseEpoch = (doctorId: string) =>
  rows('UPDATE calendar SET epoch = epoch + 1, writer_epoch = epoch + 1 WHERE doctor_id = ?', doctorId)
