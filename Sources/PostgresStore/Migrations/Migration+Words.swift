extension Migration {
  /// One tokenization for what is stored and what is asked (ADR 0035): composed, in lower case, words and
  /// the parts of identifiers, exact forms and stems of both languages.
  ///
  /// The words of what is stored are made anew beside everybody's work: the column is computed by
  /// `hito_words`, so writing a row again is enough, and an index has those that were not yet.
  static let words = Migration(
    version: 30, name: "one tokenization of texts and questions",
    preparation: [
      .once(wordFunctions),
      .once("DROP INDEX IF EXISTS passages_old_words"),
      .once(
        """
        CREATE INDEX CONCURRENTLY passages_old_words ON passages (entity_id)
          WHERE words IS DISTINCT FROM public.hito_words(title, content)
        """),
      .untilNothingIsLeft(
        """
        UPDATE passages SET content = content WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM passages
          WHERE words IS DISTINCT FROM public.hito_words(title, content) LIMIT 500))
        """),
    ],
    up: """
      DROP INDEX IF EXISTS passages_old_words;
      \(wordQuery)
      """,
    // Words stored meanwhile have all those of before.
    down: .sql(
      """
      DROP FUNCTION hito_terms(text);
      CREATE OR REPLACE FUNCTION hito_words(title text, content text) RETURNS tsvector
        LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
        BEGIN
          RETURN setweight(to_tsvector('spanish', title), 'A')
            || setweight(to_tsvector('english', title), 'A')
            || to_tsvector('spanish', content) || to_tsvector('english', content);
        END
      $$;
      DROP FUNCTION hito_words_of(text, text);
      DROP FUNCTION hito_compounds(text);
      DROP FUNCTION hito_camels(text);
      DROP FUNCTION hito_cut(text);
      DROP FUNCTION hito_spaced(text);
      DROP FUNCTION hito_plain(text);
      DROP FUNCTION hito_folded(text);
      DROP FUNCTION hito_composed(text);
      """))

  /// A letter or digit of a compound: what is no separator and no sign of ASCII or Latin-1, by numbers,
  /// because what PostgreSQL takes for a letter depends on the database's collation.
  static let wordLetter =
    #"[0-9A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u1fff\u2c00-\u2dff\u3040-\ud7ff\uf900-\ufdff]"#
  /// Where a name like `getUserById` or `HTTPServer` has its parts.
  static let camelBoundary = "[a-z0-9][A-Z]|[A-Z][A-Z][a-z][a-z]"

  static let wordFunctions = """
    CREATE OR REPLACE FUNCTION hito_composed(told text) RETURNS text
      LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
      BEGIN
        IF octet_length(told) = char_length(told) THEN RETURN told; END IF;
        RETURN normalize(told, NFKC);
      END
    $$;

    -- Lower case of all scripts, whatever the database's own collation knows.
    DO $do$
    DECLARE
      known text := (
        SELECT quote_ident(n.nspname) || '.' || quote_ident(c.collname)
        FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
        WHERE n.nspname = 'pg_catalog' AND c.collencoding IN (-1, (
            SELECT encoding FROM pg_database WHERE datname = current_database()))
          AND c.collname IN ('pg_c_utf8', 'und-x-icu', 'C.utf8', 'C.UTF-8', 'en_US.utf8')
        ORDER BY array_position(
          ARRAY['pg_c_utf8', 'und-x-icu', 'C.utf8', 'C.UTF-8', 'en_US.utf8'], c.collname::text)
        LIMIT 1);
    BEGIN
      EXECUTE format($f$
        CREATE OR REPLACE FUNCTION hito_folded(told text) RETURNS text
          LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
          BEGIN RETURN lower(public.hito_composed(told) COLLATE %s); END
        $$
      $f$, coalesce(known, 'pg_catalog."default"'));
    END
    $do$;

    -- Without accents.
    CREATE OR REPLACE FUNCTION hito_plain(told text) RETURNS text
      LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
      BEGIN
        IF octet_length(told) = char_length(told) THEN RETURN told; END IF;
        RETURN replace(translate(
          regexp_replace(normalize(told, NFKD) COLLATE "C", '[\\u0300-\\u036f]+', '', 'g'),
          'øłđı', 'oldi'), 'ß', 'ss');
      END
    $$;

    -- What is written as one word, with a stop between its parts.
    CREATE OR REPLACE FUNCTION hito_cut(told text) RETURNS text
      LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
      BEGIN
        IF told COLLATE "C" !~ '\(camelBoundary)' THEN RETURN told; END IF;
        RETURN regexp_replace(
          regexp_replace(told COLLATE "C", '([a-z0-9])([A-Z])', '\\1.\\2', 'g'),
          '([A-Z])([A-Z][a-z][a-z])', '\\1.\\2', 'g');
      END
    $$;

    -- The words that hito_cut cuts, as they are.
    CREATE OR REPLACE FUNCTION hito_camels(told text) RETURNS text
      LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT coalesce(string_agg(m[1], ' '), '')
      FROM regexp_matches(told COLLATE "C", '([A-Za-z0-9]*(?:\(camelBoundary))[A-Za-z0-9]*)', 'g') m
    $$;

    -- Words only: PostgreSQL's parser takes main.py for a host and os/path for a file.
    CREATE OR REPLACE FUNCTION hito_spaced(told text) RETURNS text
      LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
      BEGIN
        RETURN regexp_replace(told COLLATE "C",
          '[\\x02-/:-@[-`{-\\u00a9\\u00ab-\\u00b4\\u00b6-\\u00b9\\u00bb-\\u00bf\\u00d7\\u00f7\\u2000-\\u206f\\u3000-\\u303f]+',
          ' ', 'g');
      END
    $$;

    -- asyncio.run, data_loader, ana@example.org, 3.11.2, users/me: whole, and each two parts that are
    -- neighbours, joined by stops whatever stood between. And c++, c#.
    CREATE OR REPLACE FUNCTION hito_compounds(told text) RETURNS text[]
      LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
      DECLARE
        found text[] := '{}';
        parts text[];
        whole text;
      BEGIN
        IF told COLLATE "C" !~ '[^ ][-._@:/][^ ]|[+#]' THEN RETURN found; END IF;
        FOR whole IN
          SELECT DISTINCT left(m[1], 400) FROM regexp_matches(told COLLATE "C",
            '(\(wordLetter)+(?:[-._@:/]{1,3}\(wordLetter)+)+|[A-Za-z]+[+#]+(?![0-9A-Za-z]))', 'g') m
        LOOP
          parts := regexp_split_to_array(whole, '[-._@:/]+');
          found := found || left(array_to_string(parts, '.'), 200);
          FOR i IN 1 .. least(cardinality(parts), 40) - 1 LOOP
            EXIT WHEN cardinality(parts) = 2;
            found := found || left(parts[i] || '.' || parts[i + 1], 200);
          END LOOP;
        END LOOP;
        RETURN ARRAY(SELECT DISTINCT f FROM unnest(found) f WHERE f <> '');
      END
    $$;

    -- Words in the form of hito_spaced: as they are, their stems, and marked, without accents.
    CREATE OR REPLACE FUNCTION hito_words_of(spaced text, compounded text) RETURNS tsvector
      LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
      DECLARE
        words tsvector := to_tsvector('spanish', spaced) || to_tsvector('english', spaced)
          || to_tsvector('simple', spaced);
        plain text := public.hito_plain(spaced);
      BEGIN
        IF plain <> spaced THEN
          words := words || array_to_tsvector(ARRAY(
            SELECT DISTINCT '~' || p
            FROM unnest(string_to_array(plain, ' '), string_to_array(spaced, ' ')) AS w (p, s)
            -- Longer ones are no words of a tsvector: to_tsvector leaves them out, too.
            WHERE p <> s AND octet_length(p) <= 2000));
        END IF;
        IF compounded = '' THEN RETURN words; END IF;
        RETURN words || array_to_tsvector(public.hito_compounds(compounded));
      END
    $$;

    CREATE OR REPLACE FUNCTION hito_words(title text, content text) RETURNS tsvector
      LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
      DECLARE
        -- Both at once, which is half the work for short ones.
        told text := public.hito_composed(title || E'\\x01' || content);
        cut text := public.hito_cut(told);
        folded text := public.hito_folded(cut);
        spaced text := public.hito_spaced(folded);
        at integer := strpos(spaced, E'\\x01');
        named text := left(spaced, at - 1);
        rest text := substr(spaced, at + 1);
      BEGIN
        IF cut <> told THEN
          named := named || ' ' || public.hito_folded(public.hito_camels(title));
          rest := rest || ' ' || public.hito_folded(public.hito_camels(content));
        END IF;
        RETURN setweight(public.hito_words_of(named, ''), 'A')
          || public.hito_words_of(rest, folded);
      END
    $$;
    """

  static let wordQuery = """
    -- What a question asks for, one row for each form of each word: exact forms weigh most. Words have
    -- kinds: `word`; `whole`, a compound beside its parts; `small`, which both languages are full of.
    -- What a search costs grows with them, so there are at most 32, 16 and 8: compounds and what has digits
    -- go first, then the long ones, which are rare.
    CREATE FUNCTION hito_terms(question text)
      RETURNS TABLE (n integer, word integer, kind text, weight float8, term tsquery)
      LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE ROWS 40 AS $$
      DECLARE
        told text := public.hito_composed(left(question, 4000));
        cut text := public.hito_cut(told);
        folded text := public.hito_folded(cut);
        camels text[] := ARRAY(SELECT left(c, 200)
          FROM unnest(string_to_array(public.hito_folded(public.hito_camels(told)), ' ')) c);
      BEGIN
        RETURN QUERY
        WITH words AS (
          SELECT DISTINCT left(w, 100) AS w
          FROM regexp_split_to_table(public.hito_spaced(folded), '[ \\x01]+') w WHERE w <> ''),
        sorted AS (
          SELECT w.w, to_tsvector('spanish', w.w) = '' OR to_tsvector('english', w.w) = ''
            OR to_tsvector('spanish', public.hito_plain(w.w)) = '' AS is_small
          FROM words w),
        asked AS (
          SELECT s.w, CASE WHEN s.is_small AND EXISTS (SELECT FROM sorted WHERE NOT is_small)
            THEN 'small' ELSE 'word' END AS kind
          FROM sorted s
          UNION ALL
          SELECT DISTINCT c, 'whole' FROM unnest(camels) c WHERE c <> ''
          UNION ALL
          SELECT c, 'whole' FROM unnest(public.hito_compounds(folded)) c),
        numbered AS (
          SELECT a.w, a.kind, row_number() OVER (PARTITION BY a.kind ORDER BY
            a.w COLLATE "C" !~ '[0-9]', char_length(a.w) DESC, a.w COLLATE "C") AS place
          FROM asked a),
        chosen AS (
          SELECT c.w, c.kind, (row_number() OVER (ORDER BY c.kind, c.place))::integer AS number
          FROM numbered c
          WHERE c.place <= CASE c.kind WHEN 'word' THEN 32 WHEN 'whole' THEN 16 ELSE 8 END),
        forms AS (
          SELECT c.number, c.kind, f.lexeme, max(f.weight) AS weight
          FROM chosen c CROSS JOIN LATERAL (
            SELECT c.w, CASE c.kind WHEN 'small' THEN 0.1 ELSE 1.0 END
            UNION ALL
            SELECT f, 0.8 FROM (VALUES (public.hito_plain(c.w)), ('~' || public.hito_plain(c.w))) AS p (f)
              WHERE c.kind = 'word'
            UNION ALL
            SELECT l, 0.8 FROM unnest(
              tsvector_to_array(to_tsvector('spanish', c.w) || to_tsvector('english', c.w))) l
              WHERE c.kind = 'word'
            UNION ALL
            -- The part of a name is also where the name is written as one word.
            SELECT k, 0.5 FROM unnest(camels) k
              WHERE c.kind = 'word' AND strpos(k, c.w) > 0 AND k <> c.w AND char_length(c.w) > 1
          ) AS f (lexeme, weight)
          WHERE f.lexeme <> ''
          GROUP BY 1, 2, 3)
        SELECT (row_number() OVER ())::integer, f.number, f.kind, f.weight::float8,
          ('''' || replace(replace(f.lexeme, '\\', '\\\\'), '''', '''''') || '''')::tsquery
        FROM forms f;
      END
    $$;
    """
}
