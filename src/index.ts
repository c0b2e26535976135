import { DurableObject } from 'cloudflare:workers'
export class DoctorCalendar extends DurableObject {}
export default { fetch: () => new Response('ok'), async queue() {}, async scheduled() {} }
