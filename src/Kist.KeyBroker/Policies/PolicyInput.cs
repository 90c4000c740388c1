using System.Text.Json;
using Kist.Rego;

namespace Kist.KeyBroker.Policies;

/// <summary>
/// A policy's input in both forms. A policy that hands a member of its input on to one of our functions hands on the very
/// object that was made of that member's JSON: that need not be written and read again.
/// </summary>
sealed class PolicyInput(JsonElement json, RegoValue value)
{
    /// <summary>The JSON of a value that a policy hands on.</summary>
    public JsonElement JsonOf(RegoValue argument)
    {
        if (value is RegoObject members && json.ValueKind == JsonValueKind.Object)
        {
            for (var i = 0; i < members.Count; i++)
            {
                // The same object, not only an equal one. Of members of one name there is one only: readers refuse more.
                if (ReferenceEquals(members.Values[i], argument) && members.Keys[i] is RegoString name && json.TryGetProperty(name.Value, out var found))
                    return found;
            }
        }

        using var document = JsonDocument.Parse(argument.ToJson());
        return document.RootElement.Clone();
    }
}
