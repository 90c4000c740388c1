using System.Collections.Immutable;
using System.Text.Json;
using Kist.KeyBroker.References;

namespace Kist.KeyBroker.Policies;

/// <summary>Reference values as of the time of one verification.</summary>
sealed class ReferenceLookup(ReferenceStore store, DateTimeOffset now) : IReferenceLookup
{
    public JsonElement? ValueOf(string name) => ReferenceStore.IsName(name) ? store.FindValue(name, now)?.Value : null;

    public ImmutableArray<string> MatchingSets(string tee, JsonElement claims) =>
        [.. store.Matching(tee, claims, now).Select(s => $"{s.Set.Name}@{s.Version}")];
}
