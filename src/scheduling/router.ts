/** Scheduling: when. */
import { Hono } from 'hono'
import type { AppEnv } from '#http/context'
import { appointmentActionRoutes } from './appointment-action-routes'
import { appointmentRoutes } from './appointment-routes'
import { holdRoutes } from './hold-routes'
import { liveRoutes } from './live-routes'
import { openingRoutes } from './opening-routes'
import { scheduleRoutes } from './schedule-routes'
import { slotRoutes } from './slot-routes'
import { timeOffRoutes } from './time-off-routes'
import { visitTypeRoutes } from './visit-type-routes'
import { waitlistRoutes } from './waitlist-routes'

export const scheduling = new Hono<AppEnv>()
  .route('/', scheduleRoutes)
  .route('/', openingRoutes)
  .route('/', timeOffRoutes)
  .route('/', visitTypeRoutes)
  .route('/', slotRoutes)
  .route('/', liveRoutes)
  .route('/', holdRoutes)
  .route('/', waitlistRoutes)
  .route('/', appointmentRoutes)
  .route('/', appointmentActionRoutes)
