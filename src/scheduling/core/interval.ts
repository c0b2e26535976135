/**
 * Half-open intervals of time, `[startMs, endMs)` in epoch milliseconds, UTC: two that abut do not overlap.
 * An interval that ends where it starts, or before, holds no instant and overlaps nothing.
 */
import { MINUTE_MS } from './time'

export interface Interval {
  readonly startMs: number
  readonly endMs: number
}

/** The longest blocked interval, in minutes: a visit of at most 480 and a buffer of at most 120 at each end. */
export const MAX_BLOCKED_MINUTES = 720

/** True if some instant lies in both. */
export function overlaps(a: Interval, b: Interval): boolean {
  return Math.max(a.startMs, b.startMs) < Math.min(a.endMs, b.endMs)
}

/** True if every instant of `inner` lies in `outer`. */
export function contains(outer: Interval, inner: Interval): boolean {
  return inner.startMs >= inner.endMs || (outer.startMs <= inner.startMs && inner.endMs <= outer.endMs)
}

/** What is left of `from` without the cuts, which may come in any order and overlap: sorted and disjoint. */
export function subtract(from: Interval, cuts: readonly Interval[]): Interval[] {
  const relevant = cuts.filter((cut) => overlaps(cut, from)).sort(byStart)
  const rest: Interval[] = []
  let startMs = from.startMs
  for (const cut of relevant) {
    if (cut.startMs > startMs) rest.push({ startMs, endMs: cut.startMs })
    startMs = Math.max(startMs, cut.endMs)
  }
  if (startMs < from.endMs) rest.push({ startMs, endMs: from.endMs })
  return rest
}

/** What is left of each without the cuts, in the order of `froms`; pieces of different ones are not merged. */
export function subtractAll(froms: readonly Interval[], cuts: readonly Interval[]): Interval[] {
  const merged = union(cuts)
  return froms.flatMap((from) => subtract(from, disjointOverlapping(merged, from)))
}

/** The instants that lie in any of them, in as few intervals as possible: those that abut become one. */
export function union(intervals: readonly Interval[]): Interval[] {
  const merged: { startMs: number; endMs: number }[] = []
  for (const { startMs, endMs } of intervals.filter((one) => one.startMs < one.endMs).sort(byStart)) {
    const last = merged.at(-1)
    if (last !== undefined && startMs <= last.endMs) last.endMs = Math.max(last.endMs, endMs)
    else merged.push({ startMs, endMs })
  }
  return merged
}

/** The index of the first entry that starts at `ms` or later (the length if none does); sorted by startMs. */
export function indexFrom(sorted: readonly Interval[], ms: number): number {
  return lowerBound(sorted, (entry) => entry.startMs >= ms)
}

/** The index of the first entry that ends after `ms` (the length if none does); sorted and disjoint. */
export function indexEndingAfter(disjoint: readonly Interval[], ms: number): number {
  return lowerBound(disjoint, (entry) => entry.endMs > ms)
}

/**
 * The first entry, by start, that overlaps the interval and that `counts`, or undefined. The list is sorted by
 * startMs and may overlap itself, but no entry is longer than `longestMs`, so that the search begins that much
 * before the interval and never scans what lies further back.
 */
export function firstOverlap<T extends Interval>(
  sorted: readonly T[],
  interval: Interval,
  counts: (entry: T) => boolean = () => true,
  longestMs: number = MAX_BLOCKED_MINUTES * MINUTE_MS,
): T | undefined {
  for (let i = indexFrom(sorted, interval.startMs - longestMs); i < sorted.length; i++) {
    const entry = sorted[i]
    if (entry === undefined || entry.startMs >= interval.endMs) return undefined
    if (overlaps(entry, interval) && counts(entry)) return entry
  }
  return undefined
}

/** All entries of a sorted and disjoint list that overlap the interval; found by binary search. */
export function disjointOverlapping<T extends Interval>(disjoint: readonly T[], interval: Interval): T[] {
  const from = indexEndingAfter(disjoint, interval.startMs)
  const to = indexFrom(disjoint, interval.endMs)
  return disjoint.slice(from, Math.max(from, to))
}

/** The order by start, then by end. */
export const byStart = (a: Interval, b: Interval): number => a.startMs - b.startMs || a.endMs - b.endMs

function lowerBound<T>(items: readonly T[], reached: (item: T) => boolean): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = items[middle]
    if (item === undefined || reached(item)) high = middle
    else low = middle + 1
  }
  return low
}
