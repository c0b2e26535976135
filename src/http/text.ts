/** Text that people write: kept as it came, but for white space at its ends. */
import * as z from 'zod'

const CONTROL = /\p{Cc}/u
const CONTROL_BUT_BREAKS = /(?![\t\n\r])\p{Cc}/u

/** A lone surrogate is no character: stored as UTF-8 it would come back as another. */
const wellFormed = (text: string): boolean => text.isWellFormed()

/** One line: trimmed, `min` to `max` characters, none of them a control character. */
export const line = (min: number, max: number) =>
  z
    .string()
    .trim()
    .min(min)
    .max(max)
    .refine((text) => !CONTROL.test(text), 'Control characters are not allowed')
    .refine(wellFormed, 'This is not well-formed Unicode')

/** Several lines: trimmed, at most `max` characters; tabs and line breaks are the only control characters. */
export const paragraphs = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .refine((text) => !CONTROL_BUT_BREAKS.test(text), 'Control characters are not allowed')
    .refine(wellFormed, 'This is not well-formed Unicode')
