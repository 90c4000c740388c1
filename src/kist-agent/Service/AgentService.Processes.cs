using Google.Protobuf;
using Kist.Agent.Containers;
using Kist.Agent.Policy;
using Kist.Linux.Processes;
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
        Ask(PolicyRules.ExecProcess, request.ContainerId, input.Write);
        return new ExecProcessResponse { Pid = (uint)await container.ExecuteAsync(request, execution, cancellationToken) };
    }

    private async Task<Empty> RemoveProcessAsync(RemoveProcessRequest request, CancellationToken cancellationToken)
    {
        Ask(PolicyRules.SignalProcess, request.ContainerId, json =>
        {
            json.WriteString("exec_id", request.ExecId);
            json.WriteNumber("signal", Signals.Kill);
            json.WriteBoolean("all", false);
        });
        await guest.Containers.Get(request.ContainerId).RemoveProcessAsync(request.ExecId);
        return new Empty();
    }

    private async Task<WaitProcessResponse> WaitAsync(WaitProcessRequest request, CancellationToken cancellationToken)
    {
        Ask(PolicyRules.WaitProcess, request.ContainerId, json => json.WriteString("exec_id", request.ExecId));
        return await guest.Containers.Get(request.ContainerId).WaitAsync(request.ExecId, cancellationToken);
    }

    private Empty Signal(SignalProcessRequest request)
    {
        if (request.Signal is 0 or > Signals.Maximum)
            throw new AgentException(FailureCode.InvalidRequest, "signal container", request.ContainerId, $"there is no signal {request.Signal}");
        Ask(PolicyRules.SignalProcess, request.ContainerId, json =>
        {
            json.WriteString("exec_id", request.ExecId);
            json.WriteNumber("signal", request.Signal);
            json.WriteBoolean("all", request.All);
        });
        var container = guest.Containers.Get(request.ContainerId);
        if (request.All)
            container.SignalAll((int)request.Signal);
        else
            container.Process(request.ExecId).Signal((int)request.Signal);
        return new Empty();
    }

    private Empty Resize(ResizeTtyRequest request)
    {
        Ask(PolicyRules.TtyWinResize, request.ContainerId, json =>
        {
            json.WriteString("exec_id", request.ExecId);
            json.WriteNumber("row", request.Rows);
            json.WriteNumber("column", request.Columns);
        });
        guest.Containers.Get(request.ContainerId).Process(request.ExecId)
            .Resize((int)Math.Min(request.Rows, int.MaxValue), (int)Math.Min(request.Columns, int.MaxValue));
        return new Empty();
    }

    private async Task<ReadOutputResponse> ReadAsync(ReadOutputRequest request, CancellationToken cancellationToken)
    {
        var output = guest.Containers.Get(request.ContainerId).Process(request.ExecId).Output(request.Stream);
        if (!output.IsReleased)
        {
            var stream = request.Stream == OutputStream.Stdout ? "stdout" : "stderr";
            Ask(PolicyRules.ReadStream, request.ContainerId, json =>
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
        var process = guest.Containers.Get(containerId).Process(execId);
        if (!process.IsInputReleased)
        {
            Ask(PolicyRules.WriteStream, containerId, json => json.WriteString("exec_id", execId));
            process.IsInputReleased = true;
        }

        return process;
    }
}
