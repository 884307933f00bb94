import { imageForPis } from '../../src/engine/docker/images.ts'
import { Dockerd, imageTar } from '../support/dockerd.ts'

/**
 * For `VITEST_RASPI_ENGINE=docker npm run test:system`: an engine for all tests, with the image that Pis run in, where there is
 * no DOCKER_HOST.
 */
export default async function startEngine(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.VITEST_RASPI_ENGINE !== 'docker' || process.env.DOCKER_HOST) return undefined
  const engine = await Dockerd.start()
  engine.importImage(imageTar(), imageForPis.name)
  process.env.DOCKER_HOST = engine.address
  return async () => {
    delete process.env.DOCKER_HOST
    await engine[Symbol.asyncDispose]()
  }
}
