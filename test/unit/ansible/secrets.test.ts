import { expect, test } from 'vitest'
import { hideSecrets } from '../../../src/ansible/secrets.ts'

test('secrets are masked, the longer before those that are part of them, and in JSON as well', () => {
  const secrets = ['otter', 'sea otter', 'a "b"\\c']
  expect(hideSecrets('a sea otter, an otter, {"x":"a \\"b\\"\\\\c"}', secrets)).toBe(
    'a ***, an ***, {"x":"***"}',
  )
  expect(hideSecrets('nothing to hide', [])).toBe('nothing to hide')
})
