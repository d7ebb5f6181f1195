import Documents
import Domain
import Testing

@Suite(.timeLimit(.minutes(1))) struct `MDX` {
  @Test func `leaves its imports, exports and components out`() throws {
    let document = try read(
      """
      ---
      title: Guía
      ---
      import Tabs from '@theme/Tabs';
      import {
        A,
        B as C
      } from "../c"
      import './style.css'
      import data from "./d.json" with { type: "json" };
      export * from './all'
      export { default } from './other'
      export default Layout

      export const meta = {
        title: 'no',

        list: [1, "}"],
      }
      export default function Layout({children}) {
        return <main>{children}</main>
      }

      # Uno {/* a comment */}

      <Tabs groupId="os" items={['a>', `b`]}>
        <TabItem value="win" label='Windows'>

      Texto con <Badge text="no" /> y <Icon.Star/> fin.

        </TabItem>
      </Tabs>

      {props.children}

      <Note>
      Una nota.
      </Note>

      <div style={{color: 'red'}} className="x">Rojo</div>

      <>
      Dentro.
      </>

      {/*
        several
        lines
      */}
      """)
    #expect(
      document.lines == [
        "#uno [Guía/Uno] Texto con  y  fin. ¦ Una nota. ¦ Rojo ¦ Dentro."
      ])
  }

  @Test func `takes what components hold for text, however it is indented`() throws {
    let document = try read(
      """
      import {C} from 'd'; // why
      import{E}from'f'

      # Uno

      <Tabs>
          <TabItem value="win">

          Texto uno.

              ```sh
              $ ls
                a
              ```

          </TabItem>
          <Card/>
      </Tabs>

          code <B/>
      """)
    #expect(
      document.lines == ["#uno [Uno] Texto uno. ¦ <sh>$ ls\n  a ¦ <>code <B/>"])
  }

  @Test func `keeps what is code`() throws {
    let document = try read(
      """
      # Uno

      Un Vec<String> y:

          <B/> in code

      Usa `<Tabs>` y `` `{/* x */}` `` aquí, no \\<Tabs>.

      ```jsx
      import A from 'a'

      export const b = <A b={1} />
      ```

          import indented from 'x'

      > ~~~
      > <A/>
      > ~~~
      """)
    #expect(
      document.lines == [
        "#uno [Uno] Un Vec y: ¦ <><B/> in code ¦ Usa <Tabs> y `{/* x */}` aquí, no <Tabs>. ¦ "
          + "<jsx>import A from 'a'\n\nexport const b = <A b={1} /> ¦ "
          + "<>import indented from 'x' ¦ <><A/>"
      ])
  }

  @Test(
    arguments: [
      "import the file from the menu.", "export your data before you go.", "import x",
      "export default settings are kept in a file", "import data from the file 'x.csv'",
      "export default values", "export { a } of the set", "import all {of it}",
      "exportar e importar", "a < b && c > d",
      "Vea {{ variable }} y { x }.", "{% raw %}", "{! include !}", "import { a", "Vec<T and U",
      "from the menu 'import'", "<https://example.org/A>", "x <B && c", "export const is a word.",
    ]) func `takes no prose for it`(text: String) throws
  {
    let shown = text.replacing("<https://example.org/A>", with: "https://example.org/A")
    #expect(try read("# Uno\n\n\(text)\n").lines == ["#uno [Uno] \(shown)"])
  }

  @Test func `leaves expressions out of its texts, but those that are texts`() throws {
    let document = try read(
      """
      import A from 'a'

      # Hola, {props.name}!

      Son {items.map(i => <li key={i}>{i}</li>)} y {"esto"} y {`eso`}.

      <Code lang="js">{`const a = 1;`}</Code>

      Con `{code}` y {sin fin

      otra.
      """)
    #expect(
      document.lines == [
        "#hola- [Hola, !] Son  y esto y eso. ¦ const a = 1; ¦ Con {code} y {sin fin ¦ otra."
      ])
  }
}
