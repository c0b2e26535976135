/**
 * Who may call what: the one table of permissions, by operation. `operation()` asks it before anything
 * else, the document of the API shows it, and a test walks every row.
 */
import { ROLES, type Role } from '#db/schema'

export const PUBLIC = 'public'

const SIGNED_IN = ROLES

export const permissions = {
  getStart: PUBLIC,
  getOpenApi: PUBLIC,
  getSwaggerUi: PUBLIC,
  getRedoc: PUBLIC,
  getProblemPage: PUBLIC,
  getHealth: PUBLIC,
  getReadiness: PUBLIC,

  register: PUBLIC,
  login: PUBLIC,
  issueToken: PUBLIC,
  refreshSession: PUBLIC,
  logout: SIGNED_IN,
  getMe: SIGNED_IN,
  updateMe: SIGNED_IN,
  verifyDoctor: ['admin'],

  listDoctors: PUBLIC,
  searchSlots: PUBLIC,
  getDoctor: PUBLIC,
  getOwnDoctor: ['doctor'],
  updateOwnDoctor: ['doctor'],
  listSpecialties: PUBLIC,
  createSpecialty: ['admin'],

  getSchedule: ['doctor'],
  setSchedule: ['doctor'],
  listOpenings: ['doctor'],
  addOpening: ['doctor'],
  editOpening: ['doctor'],
  removeOpening: ['doctor'],
  listTimeOff: ['doctor'],
  takeTimeOff: ['doctor'],
  withdrawTimeOff: ['doctor'],
  listVisitTypes: ['doctor'],
  addVisitType: ['doctor'],
  editVisitType: ['doctor'],
  archiveVisitType: ['doctor'],
  listSlots: PUBLIC,
  listenToSlots: PUBLIC,
  takeHold: ['patient'],
  listHolds: ['patient'],
  releaseHold: ['patient'],
  joinWaitlist: ['patient'],
  listWaitlist: ['patient'],
  leaveWaitlist: ['patient'],

  bookAppointment: ['patient', 'admin'],
  listAppointments: SIGNED_IN,
  getAppointment: SIGNED_IN,
  getAppointmentHistory: SIGNED_IN,
  updateAppointment: ['patient', 'admin'],
  approveAppointment: ['doctor', 'admin'],
  rejectAppointment: ['doctor', 'admin'],
  rescheduleAppointment: SIGNED_IN,
  cancelAppointment: SIGNED_IN,
  deleteAppointment: SIGNED_IN,
  startAppointment: ['doctor', 'admin'],
  completeAppointment: ['doctor', 'admin'],
  noteNoShow: ['doctor', 'admin'],
} as const satisfies Record<string, typeof PUBLIC | readonly Role[]>

export type OperationId = keyof typeof permissions

/** The roles that may call the operation; none for a public one, which asks nobody. */
export type RoleOf<Id extends OperationId> = Exclude<(typeof permissions)[Id], typeof PUBLIC>[number]
