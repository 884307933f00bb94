type Child = Node | string | number | false | null | undefined

/** Attributes, and listeners under names that begin with `on`. */
type Properties = Record<string, string | number | boolean | undefined | ((event: Event) => void)>

/** Makes an element. Texts become text and never markup; attributes that are `false` or undefined are left out. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  return fill(document.createElement(tag), properties, children)
}

/** A part of the page with its heading, which the navigation leads to by its id. */
export function section(id: string, title: string, ...children: Child[]): HTMLElement {
  const heading = el('h2', { id: `${id}-title` }, title)
  return el('section', { id, 'aria-labelledby': `${id}-title` }, heading, ...children)
}

/** The same for SVG. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), properties, children)
}

function fill<E extends Element>(element: E, properties: Properties, children: Child[]): E {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value))
  }
  for (const child of children)
    if (child !== false && child !== null && child !== undefined) element.append(child as Node | string)
  return element
}

/** A `<details>` whose content is made when it is first opened. */
export function lazy(
  summary: Child[],
  content: () => Child[],
  { open = false, ...properties }: Properties & { open?: boolean } = {},
): HTMLDetailsElement {
  const details = el('details', properties, el('summary', {}, ...summary))
  const show = () => {
    if (details.childElementCount > 1) return
    details.append(
      ...(content().filter((child) => child !== false && child !== null && child !== undefined) as (
        | Node
        | string
      )[]),
    )
  }
  fillers.set(details, show)
  details.addEventListener('toggle', () => details.open && show())
  if (open) {
    show()
    details.open = true
  }
  return details
}

const fillers = new WeakMap<Element, () => void>()

/** Opens a `<details>` and has its content there at once. */
export function unfold(details: HTMLDetailsElement): void {
  fillers.get(details)?.()
  details.open = true
}

/** Shows `items` in portions of `size`, with a button for the next one: no list makes the page slow. */
export function portions<T>(
  list: HTMLElement,
  items: readonly T[],
  size: number,
  show: (item: T, index: number) => Node,
): Node[] {
  let shown = 0
  const button = el('button', { type: 'button', class: 'more', onclick: more })
  function more() {
    const first = list.childElementCount
    list.append(...items.slice(shown, shown + size).map((item, index) => show(item, shown + index)))
    const added = list.children[first]
    if (shown > 0 && added instanceof HTMLElement) {
      // The keyboard goes on where the new ones begin.
      added.tabIndex = -1
      added.focus()
    }
    shown = Math.min(items.length, shown + size)
    button.textContent = `Show ${Math.min(size, items.length - shown)} more of ${items.length}`
    button.hidden = shown >= items.length
  }
  more()
  return [list, button]
}
