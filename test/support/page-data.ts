import type { PageData } from '../../src/report/page/data.ts'

/** What a report page shows, read from its HTML. */
export function pageDataOf(html: string): PageData {
  const [, json] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html) ?? []
  if (json === undefined) throw new Error('The page has no data.')
  return JSON.parse(json)
}
