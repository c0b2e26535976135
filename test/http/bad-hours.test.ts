/** What hours refuse: every fault is listed, nothing is written, nothing is a 500. */
import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { type SeededUser, seedUser } from '../support/accounts'
import { call } from '../support/api'
import { expectInvalid, expectProblem, writingNothing } from './refusal'

type Body = Record<string, unknown>
type Case = readonly [what: string, change: Body, pointers: readonly string[]]

const rule = { rrule: 'FREQ=DAILY', startTime: '09:00', endTime: '17:00', startDate: '2020-01-01' }
const hours = { timeZone: 'UTC', rules: [rule] }

let doctor: SeededUser

beforeAll(async () => {
  doctor = await seedUser(env, 'doctor')
  const answer = await call('PUT', '/v1/doctors/me/schedule', { token: doctor.token, body: hours })
  expect(answer.status).toBe(200)
})

describe('Hours', () => {
  const put = (body: unknown) => call('PUT', '/v1/doctors/me/schedule', { token: doctor.token, body })
  const withRule = (change: Body): Body => ({ rules: [{ ...rule, ...change }] })
  const inRule = (member: string, ...values: unknown[]): Case[] =>
    values.map((value) => [
      `${member}: ${JSON.stringify(value)?.slice(0, 60)}`,
      withRule({ [member]: value }),
      [`/rules/0/${member}`],
    ])
  const plain = (member: string, ...values: unknown[]): Case[] =>
    values.map((value) => [`${member}: ${JSON.stringify(value)}`, { [member]: value }, [`/${member}`]])

  const malformedRules = [
    '',
    'x'.repeat(501),
    'BYDAY=MO',
    'FREQ=',
    'FREQ=SOMETIMES',
    'FREQ=WEEKLY;BYDAY=XX',
    'FREQ=DAILY;INTERVAL=0',
    'FREQ=DAILY;COUNT=0',
    'FREQ=DAILY;COUNT=-1',
    'FREQ=DAILY;UNTIL=never',
    'FREQ=DAILY;COUNT=3;UNTIL=20270101',
    'FREQ=DAILY;FREQ=DAILY',
    'RRULE:FREQ=DAILY',
    'FREQ=DAILY;X=1',
    'FREQ=MONTHLY;BYMONTHDAY=32',
    'FREQ=DAILY;',
    'FREQ=DAILY\nEXDATE:20270101',
    ';',
    `FREQ=DAILY';DROP TABLE user;--`,
    'FREQ=DAILY;__proto__=1',
    '<b>',
    'FREQ=WEEKLY;BYMONTHDAY=1',
    'FREQ=DAILY;BYDAY=1MO',
    'FREQ=DAILY;UNTIL=20270231',
  ]
  const cases: Case[] = [
    ...plain(
      'timeZone',
      undefined,
      1,
      null,
      '',
      'Mars/Olympus',
      '+06:00',
      'UTC+6',
      'Asia/Dhaka ',
      `' --`,
      'x'.repeat(65),
    ),
    ...plain('rules', undefined, null, {}, 'FREQ=DAILY', Array(51).fill(rule)),
    ...plain('slotMinutes', 4, 241, 30.5, '30', null, -5, 1e9),
    ...plain('minNoticeMinutes', -1, 43_201, 0.5, '1', null),
    ...plain('horizonDays', 0, 367, 1.5, '7', null),
    ...plain('cancellationNoticeMinutes', -1, 43_201, 0.1, 'x', null),
    ...plain('dailyLimit', 0, 501, 1.5, '5', -1),
    ...plain('approval', '', 'maybe', 1, null, 'AUTO'),
    ...plain('version', 1),
    ...inRule('rrule', undefined, 1, null, {}, ...malformedRules),
    ...inRule('startTime', undefined, 9, '', '9:00', '24:00', '25:00', '09:60', '09:00:00', '09.00'),
    ...inRule('endTime', undefined, 17, '', '24:01', '25:00', '5pm', '24:00:00', '08:00', '09:00', '00:00'),
    ...inRule(
      'startDate',
      undefined,
      20_270_101,
      '',
      '2026-02-30',
      '2026-1-1',
      '2026-12-01T00:00:00Z',
      '1899-12-31',
    ),
    ...inRule('endDate', 1, '', '2026-13-01', '2019-12-31', 'never'),
    ...inRule('x', 1),
    ['a rule that is none', { rules: [1, null] }, ['/rules/0', '/rules/1']],
    [
      'everything at once',
      {
        timeZone: 'Mars',
        slotMinutes: 4,
        minNoticeMinutes: -1,
        horizonDays: 0,
        approval: 1,
        dailyLimit: 0,
        x: 1,
        cancellationNoticeMinutes: -1,
        rules: [{ x: 1 }, { ...rule, startTime: '9' }],
      },
      [
        '/timeZone',
        '/slotMinutes',
        '/minNoticeMinutes',
        '/horizonDays',
        '/approval',
        '/dailyLimit',
        '/x',
        '/cancellationNoticeMinutes',
        '/rules/1/startTime',
        ...['rrule', 'startTime', 'endTime', 'startDate', 'x'].map((member) => `/rules/0/${member}`),
      ],
    ],
    [
      'malformed and contradictory rules at once',
      {
        rules: [
          { ...rule, rrule: 'FREQ=X' },
          { ...rule, rrule: 'FREQ=HOURLY' },
          { ...rule, endTime: '08:00' },
        ],
      },
      ['/rules/0/rrule', '/rules/1/rrule', '/rules/2/endTime'],
    ],
    [
      'a malformed number and a malformed rule at once',
      { slotMinutes: 4, rules: [{ ...rule, rrule: 'FREQ=SOMETIMES' }] },
      ['/slotMinutes', '/rules/0/rrule'],
    ],
  ]

  it.each(cases)(
    'that are malformed are refused, with every fault and no other: %s',
    async (what, change, pointers) => {
      await writingNothing(async () => {
        expectInvalid(await put({ ...hours, ...change }), pointers, what)
      })
    },
  )

  const never = 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30'
  it.each([
    ['a rule that never matches', [{ ...rule, rrule: never }], [0]],
    ['a rule that has ended before it starts', [{ ...rule, rrule: 'FREQ=DAILY;UNTIL=20191231' }], [0]],
    [
      'a rule without a matching date between its two',
      [{ ...rule, rrule: 'FREQ=WEEKLY;BYDAY=MO', endDate: '2020-01-02' }],
      [0],
    ],
    ['an hourly rule', [{ ...rule, rrule: 'FREQ=HOURLY' }], [0]],
    ['a rule of minutes', [{ ...rule, rrule: 'FREQ=MINUTELY;INTERVAL=1440' }], [0]],
    ['a rule of seconds', [{ ...rule, rrule: 'FREQ=SECONDLY' }], [0]],
    ['a rule with hours', [{ ...rule, rrule: 'FREQ=DAILY;BYHOUR=9,12' }], [0]],
    ['two equal rules', [rule, rule], [1]],
    [
      'rules that share an hour of a weekday',
      [rule, { ...rule, rrule: 'FREQ=WEEKLY;BYDAY=TU', startTime: '16:59', endTime: '20:00' }],
      [1],
    ],
    [
      'all of these at once',
      [
        { ...rule, rrule: 'FREQ=HOURLY' },
        { ...rule, rrule: never },
        rule,
        { ...rule, startTime: '12:00' },
        { ...rule, startTime: '16:00' },
      ],
      [0, 1, 3, 4],
    ],
  ] as const)('that contradict themselves are refused, with every fault: %s', async (what, rules, faulty) => {
    await writingNothing(async () => {
      const answer = await put({ ...hours, rules })
      expectProblem(answer, 422, 'schedule-refused', what)
      const pointers = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)
      expect([...new Set(pointers)]).toEqual(faulty.map((index) => `/rules/${index}/rrule`))
    })
  })
})
