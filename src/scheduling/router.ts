/** Scheduling: when. */
import { Hono } from 'hono'
import type { AppEnv } from '#http/context'
import { appointmentRoutes } from './appointment-routes'
import { openingRoutes } from './opening-routes'
import { scheduleRoutes } from './schedule-routes'
import { slotRoutes } from './slot-routes'
import { visitTypeRoutes } from './visit-type-routes'

export const scheduling = new Hono<AppEnv>()
  .route('/', scheduleRoutes)
  .route('/', openingRoutes)
  .route('/', visitTypeRoutes)
  .route('/', slotRoutes)
  .route('/', appointmentRoutes)
