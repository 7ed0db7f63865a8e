/** XML as nodes: names and values are escaped by a serialiser, never pasted together. */
import { DOMImplementation, DOMParser, XMLSerializer, type Document, type Element } from '@xmldom/xmldom';

export interface XmlNode {
  name: string;
  attributes: Record<string, string>;
  children: XmlNode[];
  text: string | null;
}

/** An element; `null` among the children are left out. */
export const xml = (
  name: string,
  attributes: Record<string, string | number> = {},
  ...children: (XmlNode | string | null)[]
): XmlNode => ({
  name,
  attributes: Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, String(value)])),
  children: children.filter((child): child is XmlNode => typeof child === 'object' && child !== null),
  text: children.filter((child) => typeof child === 'string').join('') || null,
});

function build(document: Document, node: XmlNode): Element {
  const element = document.createElement(node.name);
  for (const [key, value] of Object.entries(node.attributes)) element.setAttribute(key, value);
  if (node.text !== null) element.appendChild(document.createTextNode(node.text));
  for (const child of node.children) element.appendChild(build(document, child));
  return element;
}

/** @throws Error for a name that is none, or a character that XML cannot hold */
export function xmlText(root: XmlNode): string {
  const document = new DOMImplementation().createDocument(null, '');
  document.appendChild(build(document, root));
  return new XMLSerializer().serializeToString(document, { requireWellFormed: true });
}

const ELEMENT = 1;
const TEXT = 3;

function read(element: Element): XmlNode {
  const nodes = [...element.childNodes];
  const text = nodes.flatMap((node) => (node.nodeType === TEXT ? [node.nodeValue ?? ''] : [])).join('');
  return {
    name: element.tagName,
    attributes: Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value])),
    children: nodes.flatMap((node) => (node.nodeType === ELEMENT ? [read(node as Element)] : [])),
    text: text.trim() === '' ? null : text,
  };
}

/** What a tool wrote, as nodes; comments are left out. @throws Error for what is no well-formed XML */
export function parseXml(text: string): XmlNode {
  const refuse = (_level: string, message: string): never => {
    throw new Error(message);
  };
  const { documentElement } = new DOMParser({ onError: refuse }).parseFromString(text, 'text/xml');
  if (!documentElement) throw new Error('it has no element');
  return read(documentElement);
}
