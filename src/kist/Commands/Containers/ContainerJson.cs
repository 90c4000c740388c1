using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Host;

namespace Kist.Cli.Commands.Containers;

[JsonSerializable(typeof(List<ContainerRecord>))]
sealed partial class ContainerJson : JsonSerializerContext
{
    private static readonly ContainerJson Output = new(OutputJson.CreateOptions());

    public static string Write(List<ContainerRecord> records) => JsonSerializer.Serialize(records, Output.ListContainerRecord);
}
