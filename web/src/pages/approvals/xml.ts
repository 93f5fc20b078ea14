// An e-invoice as lines to read: the file itself, indented, with nothing added and nothing left out but white space.

export interface XmlLine {
  depth: number
  open: string
  value: string
  close: string
}

/** As many lines as are shown: an invoice has some hundreds. */
export const MOST_LINES = 4000

/** The lines of an XML text; its plain lines where it is not well-formed. */
export function xmlLines(text: string): { lines: XmlLine[]; cut: boolean } {
  const document = new DOMParser().parseFromString(text, 'application/xml')
  const lines: XmlLine[] = []
  if (document.querySelector('parsererror')) {
    for (const value of text.split(/\r?\n/)) lines.push({ depth: 0, open: '', value, close: '' })
  } else {
    walk(document.documentElement, 0, lines)
  }
  return { lines: lines.slice(0, MOST_LINES), cut: lines.length > MOST_LINES }
}

function walk(element: Element, depth: number, lines: XmlLine[]) {
  const attributes = Array.from(element.attributes, ({ name, value }) => ` ${name}="${value}"`).join('')
  const open = `<${element.nodeName}${attributes}>`
  const close = `</${element.nodeName}>`
  const parts = Array.from(element.childNodes).filter(
    (node) => node.nodeType !== Node.TEXT_NODE || node.textContent?.trim(),
  )
  if (parts.every((node) => node.nodeType !== Node.ELEMENT_NODE)) {
    const value = parts.map((node) => node.textContent?.trim() ?? '').join(' ')
    lines.push({ depth, open, value, close })
    return
  }
  lines.push({ depth, open, value: '', close: '' })
  for (const node of parts) {
    if (node.nodeType === Node.ELEMENT_NODE) walk(node as Element, depth + 1, lines)
    else lines.push({ depth: depth + 1, open: '', value: node.textContent?.trim() ?? '', close: '' })
  }
  lines.push({ depth, open: '', value: '', close })
}
