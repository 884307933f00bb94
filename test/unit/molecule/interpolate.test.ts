// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders are what this is about
import { expect, test } from 'vitest'
import { interpolate } from '../../../src/molecule/interpolate.ts'

const env = { NAME: 'pi', EMPTY: '', OTHER: 'other' }

test.for([
  ['$NAME-${NAME}s', 'pi-pis'],
  ['a$MISSING b', 'a b'],
  ['${MISSING:-debian:12}', 'debian:12'],
  ['${EMPTY:-default} ${EMPTY-default}', 'default '],
  ['${MISSING-$OTHER} ${MISSING:-$GONE}', 'other '],
  ['price: $$5', 'price: $5'],
  ['{{ jinja }} 100%', '{{ jinja }} 100%'],
] as const)('%s becomes %s', ([text, expected]) => {
  expect(interpolate(text, env)).toBe(expected)
})
