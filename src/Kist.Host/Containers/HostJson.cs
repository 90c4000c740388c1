using System.Text.Json.Serialization;

namespace Kist.Host;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ContainerRecord))]
[JsonSerializable(typeof(IReadOnlyList<ContainerRecord>))]
[JsonSerializable(typeof(RunRequest))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(ServicePorts))]
[JsonSerializable(typeof(ServiceEndpoints))]
internal sealed partial class HostJson : JsonSerializerContext;
