using System.Text.Json;
using Google.Protobuf;
using Kist.Agent.Containers;
using Kist.Agent.Policy;
using Kist.Linux.Processes;
using Kist.Linux.Terminals;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;

namespace Kist.Agent.Service;

/// <content>Requests about one process of a container: its first, or an executed one.</content>
sealed partial class AgentService
{
    private const int MaximumRead = 1 << 20, DefaultRead = 64 << 10;

    private async Task<ExecProcessResponse> ExecuteAsync(ExecProcessRequest request, CancellationToken cancellationToken)
    {
        if (!ContainerTable.IsIdentifier(request.ExecId))
            throw new AgentException(FailureCode.InvalidRequest, "execute process", request.ContainerId, "the process's identifier is no identifier");
        var container = guest.Containers.Get(request.ContainerId);
        var execution = ContainerFactory.Merge(container, request);
        var input = new ExecProcessInput
        {
            ExecId = request.ExecId,
            Process = execution.Process,
            Inherits = execution.Process.HasContextOf(container.Plan.Process),
            Terminal = execution.Terminal,
            Capabilities = execution.Capabilities,
        };
        Ask(PolicyRules.ExecProcess, container, input.Write);
        if (request.Tty && request.Rows > 0 && Allows(PolicyRules.TtyWinResize, container, Size(request.ExecId, request.Rows, request.Columns)))
            execution = execution with { TerminalSize = SizeOf(container, request.Rows, request.Columns) };
        return new ExecProcessResponse { Pid = (uint)await container.ExecuteAsync(request, execution, cancellationToken) };
    }

    private async Task<Empty> RemoveProcessAsync(RemoveProcessRequest request, CancellationToken cancellationToken)
    {
        var container = guest.Containers.Get(request.ContainerId);
        Ask(PolicyRules.SignalProcess, container, json =>
        {
            json.WriteString("exec_id", request.ExecId);
            json.WriteNumber("signal", Signals.Kill);
            json.WriteBoolean("all", false);
        });
        await container.RemoveProcessAsync(request.ExecId);
        return new Empty();
    }

    private async Task<WaitProcessResponse> WaitAsync(WaitProcessRequest request, CancellationToken cancellationToken)
    {
        var container = guest.Containers.Get(request.ContainerId);
        Ask(PolicyRules.WaitProcess, container, json => json.WriteString("exec_id", request.ExecId));
        return await container.WaitAsync(request.ExecId, cancellationToken);
    }

    private Empty Signal(SignalProcessRequest request)
    {
        if (request.Signal is 0 or > Signals.Maximum)
            throw new AgentException(FailureCode.InvalidRequest, "signal container", request.ContainerId, $"there is no signal {request.Signal}");
        var container = guest.Containers.Get(request.ContainerId);
        Ask(PolicyRules.SignalProcess, container, json =>
        {
            json.WriteString("exec_id", request.ExecId);
            json.WriteNumber("signal", request.Signal);
            json.WriteBoolean("all", request.All);
        });
        if (request.All)
            container.SignalAll((int)request.Signal);
        else
            container.Process(request.ExecId).Signal((int)request.Signal);
        return new Empty();
    }

    private Empty Resize(ResizeTtyRequest request)
    {
        var container = guest.Containers.Get(request.ContainerId);
        Ask(PolicyRules.TtyWinResize, container, Size(request.ExecId, request.Rows, request.Columns));
        container.Process(request.ExecId).Resize(SizeOf(container, request.Rows, request.Columns));
        return new Empty();
    }

    private static Action<Utf8JsonWriter> Size(string execId, uint rows, uint columns) => json =>
    {
        json.WriteString("exec_id", execId);
        json.WriteNumber("row", rows);
        json.WriteNumber("column", columns);
    };

    private static TerminalSize SizeOf(Container container, uint rows, uint columns) => rows is >= 1 and <= ushort.MaxValue && columns is >= 1 and <= ushort.MaxValue
        ? new TerminalSize((int)rows, (int)columns)
        : throw new AgentException(FailureCode.InvalidRequest, "resize terminal", container.Id, "rows and columns lie between 1 and 65535");

    private async Task<ReadOutputResponse> ReadAsync(ReadOutputRequest request, CancellationToken cancellationToken)
    {
        var container = guest.Containers.Get(request.ContainerId);
        var output = container.Process(request.ExecId).Output(request.Stream);
        if (!output.IsReleased)
        {
            var stream = request.Stream == OutputStream.Stdout ? "stdout" : "stderr";
            Ask(PolicyRules.ReadStream, container, json =>
            {
                json.WriteString("exec_id", request.ExecId);
                json.WriteString("stream", stream);
            });
            output.IsReleased = true;
        }

        var maximum = request.MaximumBytes == 0 ? DefaultRead : (int)Math.Min(request.MaximumBytes, MaximumRead);
        var wait = TimeSpan.FromMilliseconds(Math.Min(request.WaitMilliseconds, MaximumWait.TotalMilliseconds));
        var (data, end) = await output.ReadAsync(request.Offset, maximum, wait, cancellationToken);
        return new ReadOutputResponse { Data = UnsafeByteOperations.UnsafeWrap(data), End = end };
    }

    private async Task<WriteStdinResponse> WriteAsync(WriteStdinRequest request, CancellationToken cancellationToken)
    {
        var open = await Writable(request.ContainerId, request.ExecId).WriteInputAsync(request.Data.Memory, cancellationToken);
        return new WriteStdinResponse { Closed = !open };
    }

    private async Task<Empty> CloseAsync(CloseStdinRequest request, CancellationToken cancellationToken)
    {
        await Writable(request.ContainerId, request.ExecId).CloseInputAsync(cancellationToken);
        return new Empty();
    }

    private GuestProcess Writable(string containerId, string execId)
    {
        var container = guest.Containers.Get(containerId);
        var process = container.Process(execId);
        if (!process.IsInputReleased)
        {
            Ask(PolicyRules.WriteStream, container, json => json.WriteString("exec_id", execId));
            process.IsInputReleased = true;
        }

        return process;
    }
}
