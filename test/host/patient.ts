/** How tests of programs of this host are run, which may be busy with others. */
export const patient = {
  testTimeout: 300_000,
  // Vitest's own second is too short for them.
  expect: { poll: { timeout: 20_000 } },
  // Vitest's own default leaves a core to nobody.
  maxWorkers: '100%',
  // Hosts of CI are shared and stall; what fails twice is broken.
  retry: process.env.CI ? 1 : 0,
}
