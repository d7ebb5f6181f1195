extension Migration {
  /// Words of scripts without spaces, emoji, and more spellings of one name (ADR 0039). Stored words are made
  /// anew as in `words`.
  static let scripts = Migration(
    version: 32, name: "words of all scripts, emoji and spellings of names",
    preparation: [
      .once(scriptFunctions),
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
      DROP FUNCTION hito_terms(text);
      \(scriptQuery)
      """,
    // Words stored meanwhile have nearly all those of before.
    down: .sql(
      """
      DROP FUNCTION hito_terms(text);
      \(wordFunctions)
      \(wordQuery)
      DROP FUNCTION hito_numbered(text);
      DROP FUNCTION hito_unspaced(text);
      """))

  /// Scripts that are written without spaces between words, or (Hangul) with more than a word between two:
  /// Thai, Lao, Burmese, Khmer, kana, Han.
  private static let unspaced =
    #"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u31f0-\u31ff"#
    + #"\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"#
  private static let emoji = #"\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"#

  private static let scriptFunctions = """
    -- Composed, and without what is not seen: soft hyphens, zero-width spaces and joiners, variation
    -- selectors, colours of skin. A sharp is a number sign: C♯.
    CREATE OR REPLACE FUNCTION hito_composed(told text) RETURNS text
      LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
      BEGIN
        IF octet_length(told) = char_length(told) THEN RETURN told; END IF;
        RETURN normalize(translate(told, E'\\u266f\\u00ad\\u200b\\u200c\\u200d\\u2060\\ufeff\\ufe0e\\ufe0f'
          '\\U0001f3fb\\U0001f3fc\\U0001f3fd\\U0001f3fe\\U0001f3ff', '#'), NFKC);
      END
    $$;

    -- Without accents, and without the points that Hebrew and Arabic are mostly written without.
    CREATE OR REPLACE FUNCTION hito_plain(told text) RETURNS text
      LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
      BEGIN
        IF octet_length(told) = char_length(told) THEN RETURN told; END IF;
        RETURN replace(replace(replace(translate(normalize(
          regexp_replace(normalize(told, NFKD) COLLATE "C",
            '[\\u0300-\\u036f\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7\\u0610-\\u061a\\u064b-\\u065f\\u0670]+',
            '', 'g'), NFC),
          'øłđı', 'oldi'), 'ß', 'ss'), 'œ', 'oe'), 'æ', 'ae');
      END
    $$;

    -- The words that hito_cut cuts, as they are; of OAuth2PasswordBearer OAuth2 too.
    CREATE OR REPLACE FUNCTION hito_camels(told text) RETURNS text
      LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT coalesce(string_agg(m[1] || CASE WHEN m[1] ~ '[A-Z]{2}[a-z]' AND m[1] ~ '[a-z0-9][A-Z]'
        THEN ' ' || regexp_replace(m[1], '([a-z0-9])([A-Z])', '\\1 \\2', 'g') ELSE '' END, ' '), '')
      FROM regexp_matches(told COLLATE "C", '([A-Za-z0-9]*(?:\(camelBoundary))[A-Za-z0-9]*)', 'g') m
    $$;

    -- The parts of oauth2 and utf8.
    CREATE OR REPLACE FUNCTION hito_numbered(spaced text) RETURNS text
      LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
      BEGIN
        IF spaced COLLATE "C" !~ '[a-z\\u00df-\\u024f]{3}[0-9]' THEN RETURN ''; END IF;
        RETURN (
          SELECT coalesce(string_agg(rtrim(w, '0123456789') || ' '
            || substr(w, char_length(rtrim(w, '0123456789')) + 1), ' '), '')
          FROM string_to_table(spaced, ' ') w
          WHERE w COLLATE "C" ~ '^[a-z\\u00df-\\u024f]{3,40}[0-9]{1,4}$');
      END
    $$;

    -- Of what is written without spaces, the signs and the pairs of neighbours.
    CREATE OR REPLACE FUNCTION hito_unspaced(spaced text) RETURNS text
      LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
      BEGIN
        IF spaced COLLATE "C" !~ '[\(unspaced)]' THEN RETURN spaced; END IF;
        RETURN (
          SELECT string_agg(CASE WHEN w.w COLLATE "C" !~ '^[\(unspaced)]{2}' THEN w.w
            ELSE regexp_replace(w.w COLLATE "C", '(.)', '\\1 ', 'g')
              || regexp_replace(w.w COLLATE "C", '(..)', '\\1 ', 'g') || ' '
              || regexp_replace(substr(w.w, 2) COLLATE "C", '(..)', '\\1 ', 'g')
            END, ' ' ORDER BY w.n)
          FROM string_to_table(
            regexp_replace(spaced COLLATE "C", '([\(unspaced)]+)', ' \\1 ', 'g'), ' ')
            WITH ORDINALITY AS w (w, n));
      END
    $$;

    -- Words only: PostgreSQL's parser takes main.py for a host and os/path for a file. Emoji are words, and
    -- flags are pairs.
    CREATE OR REPLACE FUNCTION hito_spaced(told text) RETURNS text
      LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
      DECLARE
        spaced text := regexp_replace(told COLLATE "C",
          '[\\x02-/:-@[-`{-\\u00a9\\u00ab-\\u00b4\\u00b6-\\u00b9\\u00bb-\\u00bf\\u00d7\\u00f7\\u2000-\\u206f\\u3000-\\u3004\\u3008-\\u303f\\u30fb]+',
          ' ', 'g');
      BEGIN
        IF octet_length(spaced) = char_length(spaced) THEN RETURN spaced; END IF;
        IF spaced COLLATE "C" ~ '[\(emoji)]' THEN
          spaced := regexp_replace(spaced COLLATE "C",
            '([\\U0001f1e6-\\U0001f1ff]{2}|[\(emoji)])', ' \\1 ', 'g');
        END IF;
        -- The last letter of a Greek word has a form of its own, but not in capitals.
        RETURN public.hito_unspaced(translate(spaced, 'ς', 'σ'));
      END
    $$;

    -- asyncio.run, data_loader, ana@example.org, 3.11.2, users/me: whole, and each two parts that are
    -- neighbours, joined by stops whatever stood between. Those of few parts without stops too: node.js is
    -- nodejs, utf-8 is utf8. And c++, c#.
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
          IF cardinality(parts) BETWEEN 2 AND 4 AND char_length(whole) <= 40
            AND whole COLLATE "C" ~ '[^-._@:/0-9]'
          THEN
            found := found || array_to_string(parts, '');
          END IF;
          FOR i IN 1 .. least(cardinality(parts), 40) - 1 LOOP
            EXIT WHEN cardinality(parts) = 2;
            found := found || left(parts[i] || '.' || parts[i + 1], 200);
          END LOOP;
        END LOOP;
        RETURN ARRAY(SELECT DISTINCT f FROM unnest(found) f WHERE f <> '');
      END
    $$;

    -- Words in the form of hito_spaced: as they are, their stems, and marked, both without accents.
    CREATE OR REPLACE FUNCTION hito_words_of(spaced text, compounded text) RETURNS tsvector
      LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
      DECLARE
        words tsvector := to_tsvector('simple', spaced);
        plain text;
        -- What has stems.
        stemmed text := spaced;
        changed text[];
      BEGIN
        IF octet_length(spaced) <> char_length(spaced) THEN
          IF spaced COLLATE "C" ~ '[\(unspaced)\(emoji)]' THEN
            -- Emoji are no words to PostgreSQL's parser.
            words := words || array_to_tsvector(ARRAY(
              SELECT DISTINCT w FROM string_to_table(spaced, ' ') w WHERE w COLLATE "C" ~ '^[\(emoji)]'));
            stemmed := (SELECT coalesce(string_agg(w.w, ' ' ORDER BY w.n), '')
              FROM string_to_table(spaced, ' ') WITH ORDINALITY AS w (w, n)
              WHERE w.w COLLATE "C" !~ '^[\(unspaced)\(emoji)]');
          END IF;
        END IF;
        plain := public.hito_plain(stemmed);
        words := to_tsvector('spanish', stemmed) || to_tsvector('english', stemmed) || words;
        IF plain <> stemmed THEN
          changed := ARRAY(
            SELECT DISTINCT p
            FROM unnest(string_to_array(plain, ' '), string_to_array(stemmed, ' ')) AS w (p, s)
            -- Longer ones are no words of a tsvector: to_tsvector leaves them out, too.
            WHERE p <> s AND p <> '' AND octet_length(p) <= 2000);
          words := words || array_to_tsvector(ARRAY(
            SELECT DISTINCT '~' || f.l FROM (
              SELECT unnest(changed) AS l
              UNION ALL SELECT unnest(tsvector_to_array(
                to_tsvector('spanish', array_to_string(changed, ' '))
                || to_tsvector('english', array_to_string(changed, ' '))))) f));
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
        numbered text;
      BEGIN
        IF cut <> told THEN
          at := strpos(told, E'\\x01');
          named := named || ' ' || public.hito_folded(public.hito_camels(left(told, at - 1)));
          rest := rest || ' ' || public.hito_folded(public.hito_camels(substr(told, at + 1)));
          numbered := public.hito_numbered(named || ' ' || rest);
        ELSE
          numbered := public.hito_numbered(spaced);
        END IF;
        IF numbered <> '' THEN rest := rest || ' ' || numbered; END IF;
        RETURN setweight(public.hito_words_of(named, ''), 'A')
          || public.hito_words_of(rest, folded);
      END
    $$;
    """

  private static let scriptQuery = """
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
        compounds text[] := public.hito_compounds(folded);
        -- Compounds as one word.
        joined text[] := ARRAY(SELECT c FROM unnest(compounds) c WHERE c ~ '^[^.+#]+$' LIMIT 16);
      BEGIN
        RETURN QUERY
        WITH words AS (
          SELECT DISTINCT left(w, 100) AS w
          FROM regexp_split_to_table(public.hito_spaced(folded), '[ \\x01]+') w WHERE w <> ''),
        paired AS MATERIALIZED (
          SELECT unnest(ARRAY[left(w.w, 1), right(w.w, 1)]) AS sign FROM words w
          WHERE char_length(w.w) = 2 AND w.w COLLATE "C" ~ '^[\(unspaced)]'),
        sorted AS (
          SELECT w.w, w.w COLLATE "C" !~ '^[\(unspaced)\(emoji)]' AND (
            to_tsvector('spanish', w.w) = '' OR to_tsvector('english', w.w) = ''
            OR to_tsvector('spanish', public.hito_plain(w.w)) = '') AS is_small
          FROM words w
          -- A sign of a pair says nothing more.
          WHERE char_length(w.w) > 1 OR w.w NOT IN (SELECT p.sign FROM paired p)),
        asked AS (
          SELECT s.w, CASE WHEN s.is_small AND EXISTS (SELECT FROM sorted WHERE NOT is_small)
            THEN 'small' ELSE 'word' END AS kind
          FROM sorted s
          UNION ALL
          SELECT DISTINCT c, 'whole' FROM unnest(camels || compounds) c WHERE c <> ''),
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
              WHERE c.kind = 'word' AND c.w COLLATE "C" !~ '^[\(unspaced)\(emoji)]'
            UNION ALL
            SELECT l, 0.8 FROM unnest(
              tsvector_to_array(to_tsvector('spanish', c.w) || to_tsvector('english', c.w))) l
              WHERE c.kind = 'word'
            UNION ALL
            SELECT m || l, 0.7 FROM unnest(ARRAY['', '~']) m, unnest(tsvector_to_array(
                to_tsvector('spanish', public.hito_plain(c.w))
                || to_tsvector('english', public.hito_plain(c.w)))) l
              WHERE c.kind = 'word' AND c.w COLLATE "C" !~ '^[\(unspaced)\(emoji)]'
            UNION ALL
            -- oauth2 is also where OAuth 2.0 is written.
            SELECT split_part(public.hito_numbered(c.w), ' ', 1), 0.5 WHERE c.kind = 'word'
            UNION ALL
            -- The part of a name is also where the name is written as one word.
            SELECT k, 0.5 FROM unnest(camels) k
              WHERE c.kind = 'word' AND strpos(k, c.w) > 0 AND k <> c.w AND char_length(c.w) > 1
            UNION ALL
            SELECT k, 0.5 FROM unnest(joined) k
              WHERE c.kind = 'word' AND (starts_with(k, c.w) OR right(k, char_length(c.w)) = c.w)
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
