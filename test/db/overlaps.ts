/** Times that overlap or abut others, and what D1 says of them. */
import type { Visit } from './rows'

/** Somebody has minutes 600–630 with buffers of 10 and 20, so that 590–650 are blocked. */
export const existing = { start: 600, end: 630, before: 10, after: 20 }

export type Times = Pick<Visit, 'start' | 'end' | 'before' | 'after'>
export const overlapCases: readonly (readonly [
  name: string,
  times: Times,
  atDoctor: string,
  ofPatient: string,
])[] = [
  ['the same time', existing, 'slot-taken', 'patient-busy'],
  ['within it', { start: 605, end: 610 }, 'slot-taken', 'patient-busy'],
  ['around it', { start: 500, end: 700 }, 'slot-taken', 'patient-busy'],
  ['ending where the visit starts', { start: 570, end: 600 }, 'slot-taken', 'done'],
  ['ending a minute into the visit', { start: 571, end: 601 }, 'slot-taken', 'patient-busy'],
  ['starting where the visit ends', { start: 630, end: 660 }, 'slot-taken', 'done'],
  ['starting in the last minute of the visit', { start: 629, end: 659 }, 'slot-taken', 'patient-busy'],
  ['ending where the buffer starts', { start: 560, end: 590 }, 'done', 'done'],
  ['ending a minute into the buffer', { start: 561, end: 591 }, 'slot-taken', 'done'],
  ['starting where the buffer ends', { start: 650, end: 680 }, 'done', 'done'],
  ['starting in the last minute of the buffer', { start: 649, end: 679 }, 'slot-taken', 'done'],
  ['with a buffer that abuts before', { start: 550, end: 580, after: 10 }, 'done', 'done'],
  ['with a buffer that reaches in before', { start: 550, end: 580, after: 11 }, 'slot-taken', 'done'],
  ['with a buffer that abuts after', { start: 655, end: 685, before: 5 }, 'done', 'done'],
  ['with a buffer that reaches in after', { start: 655, end: 685, before: 6 }, 'slot-taken', 'done'],
  ['with buffers over all of it', { start: 640, end: 645, before: 60, after: 60 }, 'slot-taken', 'done'],
]
