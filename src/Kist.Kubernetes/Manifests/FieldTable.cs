namespace Kist.Kubernetes;

/// <summary>
/// What is done with each field of a kind of object: read, ignored because it changes nothing that runs, or refused. A field
/// that is in no table is refused: it might change what runs.
/// </summary>
/// <param name="Read">Fields that are read elsewhere.</param>
/// <param name="Harmless">Fields that say where and when something runs, not what.</param>
/// <param name="Refused">Fields that cannot be, each with its reason.</param>
/// <param name="Warned">Fields that have no effect under Kist, each with what that means.</param>
sealed record FieldTable(
    IReadOnlyList<string> Read,
    IReadOnlyList<string> Harmless,
    IReadOnlyDictionary<string, string> Refused,
    IReadOnlyDictionary<string, string> Warned)
{
    public void Check(ManifestObject value, ManifestReview review)
    {
        foreach (var name in value.Names)
        {
            if (Read.Contains(name) || Harmless.Contains(name))
                continue;
            if (Warned.TryGetValue(name, out var effect))
                review.Warn(value.PlaceOf(name), effect);
            else if (!IsDefault(value, name))
                review.Refuse(value.PlaceOf(name), Refused.GetValueOrDefault(name) ?? "this field is not known here; it might change what runs", "take it out");
        }
    }

    /// <summary>A flag that is off asks for nothing; so does an empty list.</summary>
    private static bool IsDefault(ManifestObject value, string name) => value.Node.Find(name) switch
    {
        ScalarNode { IsQuoted: false } s => ScalarTypes.Boolean(s.Text) == false,
        ListNode list => list.Items.Count == 0,
        MapNode map => map.Entries.Count == 0,
        _ => false,
    };
}
