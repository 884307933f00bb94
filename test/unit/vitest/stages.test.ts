import { expect, test } from 'vitest'
import { stages } from '../../../src/vitest/stages.ts'

class Skipped extends Error {}
const skip = (note: string): never => {
  throw new Skipped(note)
}
const fails = () => Promise.reject(new Error('broken'))
const works = () => Promise.resolve()

test('after the ground has failed the others are skipped, but for what is always done', async () => {
  const stage = stages()
  await expect(stage('converge', { skip, ground: true }, fails)).rejects.toThrow('broken')
  await expect(stage('verify', { skip }, works)).rejects.toThrow(new Skipped('because "converge" failed'))
  await stage('cleanup', { skip, always: true }, works)
})

test('what is no ground fails alone', async () => {
  const stage = stages()
  await expect(stage('idempotence', { skip }, fails)).rejects.toThrow('broken')
  await stage('verify', { skip }, works)
})

test('a retry that succeeds is ground again', async () => {
  const stage = stages()
  await expect(stage('converge', { skip, ground: true }, fails)).rejects.toThrow('broken')
  await stage('converge', { skip, ground: true }, works)
  await stage('verify', { skip }, works)
})

test('a test that timed out and never came back is no ground', async () => {
  const stage = stages()
  void stage('converge', { skip, ground: true }, () => new Promise(() => {}))
  await expect(stage('verify', { skip }, works)).rejects.toThrow('because "converge" failed')
})
