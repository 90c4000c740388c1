using System.Text.Json.Serialization;

namespace Kist.Host;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ContainerRecord))]
[JsonSerializable(typeof(IReadOnlyList<ContainerRecord>))]
[JsonSerializable(typeof(RunRequest))]
internal sealed partial class HostJson : JsonSerializerContext;
