export interface DemonstrationStatement {
  readonly sql: string
  readonly params: (string | number | null)[]
}

export const DEMONSTRATION_PASSWORD: string
export const DEMONSTRATION: string
export function demonstrationEmail(handle: string): string
export function demonstration(nowMs: number, passwordHash: string): DemonstrationStatement[]
export function loadDemonstration(database: D1Database, nowMs: number, passwordHash: string): Promise<boolean>
