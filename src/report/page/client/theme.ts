type Theme = 'auto' | 'light' | 'dark'
const order: Theme[] = ['auto', 'light', 'dark']
const key = 'vitest-raspi-theme'

/** Lets `button` choose between the system's colours, light and dark; the choice is kept where the browser allows it. */
export function chooseTheme(button: HTMLElement): void {
  let theme = remembered()
  const apply = () => {
    document.documentElement.dataset.theme = theme
    button.textContent = `Colours: ${theme}`
  }
  button.addEventListener('click', () => {
    theme = order[(order.indexOf(theme) + 1) % order.length] ?? 'auto'
    try {
      localStorage.setItem(key, theme)
    } catch {
      // A page from file:// may have no storage.
    }
    apply()
  })
  apply()
}

function remembered(): Theme {
  try {
    const theme = localStorage.getItem(key) as Theme
    return order.includes(theme) ? theme : 'auto'
  } catch {
    return 'auto'
  }
}
