using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Kist.Shim.Events;

/// <summary>Messages in an Any as containerd writes and reads them: the type's bare name, without the prefix of protobuf.</summary>
internal static class AnyMessage
{
    public static Any Of(IMessage message) => new() { TypeUrl = message.Descriptor.FullName, Value = message.ToByteString() };
}
