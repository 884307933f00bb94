import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { scratchDir } from './scratch-dir.ts'

/** What a fake Docker engine is like. */
export interface FakeDockerOptions {
  /** What of these calls, `GET /version`, is never answered. @default none */
  silent?: RegExp
  /** What of them goes on for ever with telling of its progress. @default none */
  endless?: RegExp
  /** Which of its container images are not there. @default none */
  lacks?: RegExp
  /** Of all its container images. @default none */
  labels?: Record<string, string>
}

/** A Docker engine that has every container image, and whose containers say which QEMU they have, whatever they run. */
export async function fakeDocker({ silent, endless, lacks, labels = {} }: FakeDockerOptions = {}) {
  const calls: string[] = []
  const isSilent = (call: string) => calls.push(call) > 0 && silent?.test(call)
  const callOf = ({ method, url = '' }: IncomingMessage) => `${method} ${url.split('?')[0]}`
  const answers: [RegExp, number, object][] = [
    ...(lacks ? [[lacks, 404, { message: 'no such image' }] as [RegExp, number, object]] : []),
    [/ \/version$/, 200, { Version: '28.1', ApiVersion: '1.49', Arch: 'amd64' }],
    [/ \/info$/, 200, { NCPU: 4, MemTotal: 16e9 }],
    [/ \/(containers|images)\/json$/, 200, []],
    [/ \/images\/.*\/json$/, 200, { Id: 'sha256:abcdef0123456789', Config: { Labels: labels } }],
    [/ \/(containers\/create|containers\/it\/exec|images\/.*\/tag)$/, 201, { Id: 'it' }],
    [/ \/exec\/it\/json$/, 200, { Running: false, ExitCode: 0 }],
    [/^(DELETE |POST .*\/start$)/, 204, {}],
  ]
  const server = createServer((request, response) => {
    const call = callOf(request)
    if (isSilent(call)) return
    if (endless?.test(call)) return void response.write('{ "status": "Layer 1 of 2" }\n')
    const [, code, body] = answers.find(([of]) => of.test(call)) ?? [0, 404, { message: `no ${call}` }]
    request.resume().on('end', () => response.writeHead(code).end(code === 204 ? '' : JSON.stringify(body)))
  })
  server.on('upgrade', (request, socket) => {
    const call = callOf(request)
    socket.on('error', () => {}).resume()
    if (isSilent(call)) return
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
    if (!call.includes('/exec/')) return
    const text = Buffer.from('QEMU emulator version 10.0.3\n')
    socket.end(Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, text.length]), text]))
  })
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const socket = join(scratchDir(), 'd.sock')
  server.listen(socket)
  await once(server, 'listening')
  return { socket, address: `unix://${socket}`, calls }
}
