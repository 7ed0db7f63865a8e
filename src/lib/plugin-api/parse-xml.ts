/** XML that a tool wrote, as the same nodes that it is written with. */
import { DOMParser, type Element } from '@xmldom/xmldom';
import type { XmlNode } from './xml';

function refuse(_level: string, message: string): never {
  throw new Error(`it is no XML: ${message.slice(0, 200)}`);
}

function nodeOf(element: Element): XmlNode {
  const inside = Array.from(element.childNodes);
  const children = inside.filter((child): child is Element => child.nodeType === child.ELEMENT_NODE);
  const text = inside
    .filter(({ nodeType }) => nodeType === element.TEXT_NODE || nodeType === element.CDATA_SECTION_NODE)
    .map(({ nodeValue }) => nodeValue ?? '')
    .join('');
  return {
    name: element.nodeName,
    attributes: Object.fromEntries(Array.from(element.attributes, ({ name, value }) => [name, value])),
    children: children.map(nodeOf),
    // What indents the elements inside is no text.
    text: children.length > 0 || text === '' ? null : text,
  };
}

/** @throws Error for what is not well-formed, warnings included */
export function parseXml(text: string): XmlNode {
  const root = new DOMParser({ onError: refuse }).parseFromString(text, 'text/xml').documentElement;
  if (!root) throw new Error('it has no element');
  return nodeOf(root);
}

/** Elements of this name right below the node. */
export const childrenOf = (node: XmlNode | undefined, name: string): XmlNode[] =>
  node?.children.filter((child) => child.name === name) ?? [];
/** The first element at the end of a path of names. */
export const childOf = (node: XmlNode | undefined, ...path: string[]): XmlNode | undefined =>
  path.reduce<XmlNode | undefined>((at, name) => childrenOf(at, name)[0], node);
