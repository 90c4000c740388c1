using Kist.Formats;

namespace Kist.Rego.Syntax;

/// <summary>
/// Reads annotations: comments that begin with <c># METADATA</c> and go on in YAML, and belong to the statement after
/// them.
/// </summary>
static class AnnotationReader
{
    /// <summary>The annotations of a text, by the first line after each.</summary>
    /// <exception cref="RegoException">rego_parse_error: one is not YAML.</exception>
    public static List<Annotation> Read(RegoModule module)
    {
        var found = new List<Annotation>();
        if (!RegoFeatures.Yaml || !module.Text.Contains("# METADATA", StringComparison.Ordinal))
            return found;
        var lines = module.Text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].Trim() != "# METADATA")
                continue;
            var start = i + 1;
            while (i + 1 < lines.Length && lines[i + 1].TrimStart().StartsWith('#'))
                i++;
            var yaml = string.Join('\n', lines[start..(i + 1)].Select(l => l.TrimStart()[1..]));
            found.Add(new Annotation(i + 2, Parse(yaml, new RegoLocation(module.Name, start, 1))));
        }

        return found;
    }

    private static RegoObject Parse(string yaml, RegoLocation at)
    {
        try
        {
            return RegoYaml.Read(yaml) as RegoObject ?? RegoObject.Empty;
        }
        catch (MalformedDataException e)
        {
            throw new RegoException(RegoErrorCode.Parse, $"annotations: {e.Message}", at, e);
        }
    }
}

/// <summary>One annotation: the first line after it, and its members as written.</summary>
sealed record Annotation(int NextRow, RegoObject Members)
{
    public string? Scope => (Members["scope"] as RegoString)?.Value;

    /// <summary>The members as policies see them, with the scope that the statement gives.</summary>
    public RegoValue ToValue(string defaultScope)
    {
        var result = new RegoObjectBuilder(Members) { [new RegoString("scope")] = new RegoString(Scope ?? defaultScope) };
        if (Members["authors"] is RegoArray authors)
            result[new RegoString("authors")] = RegoArray.Of(authors.Items.ToArray().Select(Author).ToArray());
        if (Members["related_resources"] is RegoArray resources)
            result[new RegoString("related_resources")] = RegoArray.Of(resources.Items.ToArray().Select(Resource).ToArray());
        return result.ToObject();
    }

    /// <summary>An author is written as an object, or as "name &lt;address&gt;".</summary>
    private static RegoValue Author(RegoValue value)
    {
        if (value is not RegoString { Value: var text })
            return value;
        var open = text.IndexOf('<');
        if (open < 0 || !text.EndsWith('>'))
            return RegoValue.ObjectOf(("name", RegoValue.Of(text.Trim())));
        var email = RegoValue.Of(text[(open + 1)..^1]);
        var name = text[..open].Trim();
        return name.Length == 0 ? RegoValue.ObjectOf(("email", email)) : RegoValue.ObjectOf(("name", RegoValue.Of(name)), ("email", email));
    }

    private static RegoValue Resource(RegoValue value) => value is RegoString ? RegoValue.ObjectOf(("ref", value)) : value;
}
