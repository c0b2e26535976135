/** What a doctor offers to be booked. A change leaves what has been booked as it was. */
import { type Statement, statement } from '#db/database'
import { insertIdempotencyKey, type KeyedRequest } from '#db/idempotency'
import type { Actor } from '#db/right'
import { type Outcome, refused } from './answer'
import type { CalendarKeeper } from './calendar-keeper'
import { answer, type CommandContext, change, changeCalendar } from './change-calendar'
import type { VisitType } from './core/schedule'

/** How many visit types a doctor may offer. */
export const MAX_VISIT_TYPES = 20

/** What a doctor says of a visit type. */
export type VisitTypeTerms = Omit<VisitType, 'id' | 'version' | 'createdAt' | 'archivedAt'>

export interface AddVisitTypeCommand {
  readonly actor: Actor
  readonly key: KeyedRequest | undefined
  readonly id: string
  readonly terms: VisitTypeTerms
}

export const addVisitType = (
  keeper: CalendarKeeper,
  context: CommandContext,
  { actor, key, id, terms }: AddVisitTypeCommand,
): Promise<Outcome<VisitType>> => {
  const { doctorId } = keeper
  return changeCalendar<VisitType>(keeper, context, {
    decide(calendar, nowMs) {
      if (calendar.visitTypes.length >= MAX_VISIT_TYPES) return answer(refused('too-many-visit-types'))
      const added: VisitType = { id, ...terms, version: 1, createdAt: nowMs, archivedAt: null }
      return change({
        subjectIds: [id],
        statements: [
          insertVisitType(doctorId, added),
          ...(key === undefined ? [] : [insertIdempotencyKey(actor, key, added, nowMs, doctorId)]),
        ],
        events: [event('visit-type.added', doctorId, actor, id, nowMs)],
        answer() {
          if (key !== undefined) keeper.remember(actor, key, JSON.stringify(added), nowMs)
          return added
        },
        keep: () => calendar.setVisitType(added),
      })
    },
    happened: (calendar) => found(calendar.visitType(id)),
    refusedBy(refusal) {
      if (refusal === 'idempotency-key-used') return refused('idempotency-key-reused')
      throw new Error(`Adding a visit type cannot be refused by ${refusal}`)
    },
  })
}

export interface OnVisitType {
  readonly actor: Actor
  readonly visitTypeId: string
  /** The versions that the caller's If-Match names; undefined where any will do. */
  readonly versions: readonly number[] | undefined
}

export interface EditVisitTypeCommand extends OnVisitType {
  /** What is to be otherwise; undefined members stay. */
  readonly terms: { readonly [Member in keyof VisitTypeTerms]?: VisitTypeTerms[Member] | undefined }
}

export const editVisitType = (
  keeper: CalendarKeeper,
  context: CommandContext,
  command: EditVisitTypeCommand,
): Promise<Outcome<VisitType>> =>
  changeVisitType(keeper, context, command, 'visit-type.changed', (known) => {
    const given = Object.entries(command.terms).filter(([, value]) => value !== undefined)
    return { ...known, ...Object.fromEntries(given) }
  })

/** Offers it no more. The last one stays: a doctor without any could not be booked. */
export const archiveVisitType = (
  keeper: CalendarKeeper,
  context: CommandContext,
  command: OnVisitType,
): Promise<Outcome<VisitType>> =>
  changeVisitType(keeper, context, command, 'visit-type.archived', (known, others, nowMs) =>
    others === 0 ? 'last-visit-type' : { ...known, archivedAt: nowMs },
  )

const changeVisitType = (
  keeper: CalendarKeeper,
  context: CommandContext,
  { actor, visitTypeId, versions }: OnVisitType,
  type: 'visit-type.changed' | 'visit-type.archived',
  next: (known: VisitType, others: number, nowMs: number) => VisitType | 'last-visit-type',
): Promise<Outcome<VisitType>> => {
  let changed: VisitType | undefined
  return changeCalendar<VisitType>(keeper, context, {
    decide(calendar, nowMs) {
      const known = calendar.visitType(visitTypeId)
      if (known === undefined) return answer(refused('not-found'))
      if (versions !== undefined && !versions.includes(known.version))
        return answer(refused('precondition-failed'))
      const decided = next(known, calendar.visitTypes.length - 1, nowMs)
      if (typeof decided === 'string') return answer(refused(decided))
      const visitType = { ...decided, version: known.version + 1 }
      changed = visitType
      return change({
        subjectIds: [visitTypeId],
        statements: [updateVisitType(visitType)],
        events: [event(type, keeper.doctorId, actor, visitTypeId, nowMs)],
        // One that is offered no more takes, so at once; any other change neither takes nor gives a minute.
        ...(visitType.archivedAt !== null && {
          take: () => calendar.setVisitType(visitType),
          giveBack: () => calendar.setVisitType(known),
        }),
        answer: () => visitType,
        keep: () => calendar.setVisitType(visitType),
      })
    },
    happened: () => found(changed),
  })
}

function found(visitType: VisitType | undefined): VisitType {
  if (visitType === undefined) throw new Error('A visit type whose event is written was decided')
  return visitType
}

const insertVisitType = (doctorId: string, v: VisitType): Statement =>
  statement(
    `INSERT INTO visit_type (id, doctor_id, name, duration_minutes, buffer_before_minutes, buffer_after_minutes,
       mode, fee_minor, fee_currency, version, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    v.id,
    doctorId,
    v.name,
    v.durationMinutes,
    v.bufferBeforeMinutes,
    v.bufferAfterMinutes,
    v.mode,
    v.feeMinor,
    v.feeCurrency,
    v.version,
    v.createdAt,
  )

const updateVisitType = (v: VisitType): Statement =>
  statement(
    `UPDATE visit_type SET name = ?, duration_minutes = ?, buffer_before_minutes = ?, buffer_after_minutes = ?,
       mode = ?, fee_minor = ?, fee_currency = ?, version = ?, archived_at = ? WHERE id = ?`,
    v.name,
    v.durationMinutes,
    v.bufferBeforeMinutes,
    v.bufferAfterMinutes,
    v.mode,
    v.feeMinor,
    v.feeCurrency,
    v.version,
    v.archivedAt,
    v.id,
  )

const event = (
  type: 'visit-type.added' | 'visit-type.changed' | 'visit-type.archived',
  doctorId: string,
  { userId }: Actor,
  subjectId: string,
  atMs: number,
) => ({ type, actorId: userId, subjectId, atMs, data: { doctorId } })
