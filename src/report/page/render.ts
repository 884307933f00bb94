import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { PageData } from './data.ts'

/** Where the build puts the page's parts. */
const assets = fileURLToPath(new URL('.', import.meta.url))

/**
 * The report page as one HTML file that needs nothing else, of `page.html`, `page.css` and `page.js` in `dir`. Its script
 * is the only one that a browser runs in it, whatever texts it shows.
 */
export async function renderPage(data: PageData, dir: string = assets): Promise<string> {
  const [html, css, js] = await Promise.all(
    ['page.html', 'page.css', 'page.js'].map((name) => readFile(`${dir}/${name}`, 'utf8')),
  )
  const hash = createHash('sha256')
    .update(js ?? '')
    .digest('base64')
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; img-src data:`
  const parts: Record<string, string> = {
    policy: `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    style: `<style>\n${css}</style>`,
    data: `<script type="application/json" id="data">${jsonForHtml(data)}</script>`,
    script: `<script>${js}</script>`,
  }
  // One pass: what is put in is not looked at again.
  return (html ?? '').replace(/<!-- (\w+) -->/g, (whole, name: string) => parts[name] ?? whole)
}

/** JSON that ends no script element, opens no comment there, and is JSON all the same. */
export function jsonForHtml(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029')
}
