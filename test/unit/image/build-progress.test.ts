import { expect, test } from 'vitest'
import { BuildProgress } from '../../../src/image/build-progress.ts'

function followed() {
  const lines: string[] = []
  const progress = new BuildProgress('test', (line) => lines.push(line.replace(/\d+\.\d s/, 'T')))
  return { lines, progress }
}

test('each step ends before the next begins', async () => {
  const { lines, progress } = followed()
  for (const line of [
    'I: running apt-get update...',
    'Get:1 http://x',
    'I: extracting archives...',
    'noise',
  ]) {
    await progress.line(line)
  }
  await progress.end()
  expect(lines).toEqual([
    'Image test: reading package lists …',
    'Image test: reading package lists: done in T',
    'Image test: unpacking the essential packages …',
    'Image test: unpacking the essential packages: done in T',
  ])
})

test('a step that fails is not said to be done', async () => {
  const { lines, progress } = followed()
  await progress.line('I: extracting archives...')
  await progress.end(new Error('no'))
  expect(lines).toEqual(['Image test: unpacking the essential packages …'])
})

test('a hook is known by the beginning of its announcement', async () => {
  const { lines, progress } = followed()
  await progress.line('I: running --customize-hook directly: /some/where.sh /root')
  await progress.end()
  expect(lines[0]).toBe('Image test: setting the Pi up …')
})

test('the last 15 lines are evidence', async () => {
  const { progress } = followed()
  for (let line = 1; line <= 20; line++) await progress.line(`line ${line}`)
  expect(progress.tail.split('\n')).toEqual(Array.from({ length: 15 }, (_, index) => `line ${index + 6}`))
})
