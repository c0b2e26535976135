import { DurableObject } from 'cloudflare:workers'
export class DoctorCalendar extends DurableObject<Env> {
  ping(): true {
    return true
  }
}
