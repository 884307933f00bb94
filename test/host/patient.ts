/** How tests of programs of this host are run, which may be busy with others. */
export const patient = {
  testTimeout: 300_000,
  // Some tests look at all processes of the host.
  maxWorkers: 1,
  // Hosts of CI are shared and stall; what fails twice is broken.
  retry: process.env.CI ? 1 : 0,
}
